#pragma once
// The state that the functions of test files share while a file runs.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/lua_policy.h"
#include "bindings/sandbox.h"
#include "bindings/testing/test_report.h"

struct lua_State;

namespace memcoord::bindings::testing {

/// Raised if an expectation fails. The failure itself is in the context.
inline constexpr const char* kExpectationFailed = "an expectation does not hold";

/// One test file's state. Its Lua functions find it through the Lua state's registry.
class TestContext {
 public:
  TestContext(std::filesystem::path file, std::string source)
      : file_(std::move(file)), source_(std::move(source)) {}

  /// Lets the functions of a Lua state find this context, which outlives the state's use.
  void attach(lua_State* lua);
  static TestContext& of(lua_State* lua);

  struct Declared {
    std::string name;
    int line = 0;
    int function = 0;  ///< a reference in the registry
  };
  struct PolicyUnderTest {
    std::filesystem::path path;
    LuaPolicy::Settings settings;
  };

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] const std::string& source() const { return source_; }
  /// The file's name without its folders, as Lua calls the script.
  [[nodiscard]] std::string chunk_name() const { return file_.filename().string(); }
  /// A place in Lua's form ("halving_test.lua:3") with the folders.
  [[nodiscard]] std::string with_folders(const std::string& place) const;
  /// A line of the file, without its indentation; empty if the file has no such line.
  [[nodiscard]] std::string line_text(int line) const;

  /// Begins a test: clears the state of the previous test.
  void begin(const Declared& test);
  /// Keeps the first expectation that fails in a test, with the tick before it.
  void fail_at(int line, std::string expected, std::string got);

  std::vector<Declared> tests;
  std::vector<PolicyUnderTest> policies;
  const Declared* running = nullptr;   ///< null while the file itself runs
  std::optional<TestFailure> failure;  ///< stays even if the test catches the error
  /// The policy's errors, by number, that the running test has not read yet.
  std::map<std::int64_t, std::string> unread_errors;
  std::vector<std::string> last_tick;  ///< proposals and decisions, for a failure's report

 private:
  std::filesystem::path file_;
  std::string source_;
};

/// The innermost line of Lua code that runs; 0 if there is none.
int calling_line(lua_State* lua);

/// These make the globals of test files; to be called within Sandbox::run().
void open_expectations(lua_State* lua);  ///< `expect` and `expect_error`
void open_policies(lua_State* lua);      ///< `policy`, whose objects play ticks

}  // namespace memcoord::bindings::testing
