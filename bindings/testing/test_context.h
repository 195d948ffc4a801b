#pragma once
// What the functions of a running test file share.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bindings/sandbox.h"
#include "bindings/testing/test_results.h"

struct lua_State;

namespace memcoord::bindings::testing {

/// Belongs to one test file; its Lua functions find it through the state's registry.
class TestContext {
 public:
  explicit TestContext(std::filesystem::path file) : file_(std::move(file)) {}

  /// Lets the functions of a state find this context, which outlives the state's use.
  void attach(lua_State* lua);
  static TestContext& of(lua_State* lua);

  struct Declared {
    std::string name;
    int line = 0;
    int function = 0;  ///< a reference in the registry
  };
  struct PolicyUnderTest {
    std::filesystem::path path;
    std::map<std::string, std::string> settings;
  };

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  /// The file's name without its folders: what Lua calls the script.
  [[nodiscard]] std::string chunk_name() const { return file_.filename().string(); }
  /// A place as Lua tells it ("halving_test.lua:3"), with the folders.
  [[nodiscard]] std::string with_folders(const std::string& place) const;
  /// A line of the file, without its indentation; empty where there is no such line.
  [[nodiscard]] std::string line_text(int line) const;
  /// The limits of policies under test: a tick's instructions and memory are those of a real one,
  /// its time is not, so that a machine under load fails no test.
  [[nodiscard]] static SandboxLimits policy_limits();

  std::string source;
  std::vector<Declared> tests;
  std::vector<PolicyUnderTest> policies;
  const Declared* running = nullptr;  ///< null while the file itself runs
  /// Set by the first expectation that does not hold; nothing that the test catches undoes it.
  std::optional<TestFailure> failure;
  /// Errors of the policy's, by number, that the running test has not looked at yet.
  std::map<std::int64_t, std::string> unseen_errors;
  std::vector<std::string> last_tick;  ///< what was proposed and decided, for failures

 private:
  std::filesystem::path file_;
};

/// The line of the Lua code that called the running C function; 0 where there is none.
int calling_line(lua_State* lua);
/// Ends the running test with what was expected and what was there; never returns.
[[noreturn]] void fail_test(lua_State* lua, std::string message, std::string expected,
                            std::string got);

}  // namespace memcoord::bindings::testing
