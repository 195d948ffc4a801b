#pragma once
// Runs policy tests in a folder of their own, from within a unit test.

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "bindings/testing/policy_tests.h"
#include "tests/text.h"

namespace memcoord::test {

/// A folder of policies and tests. The destructor removes it.
class PolicyTestFolder {
 public:
  PolicyTestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "memcoord-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~PolicyTestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  PolicyTestFolder(const PolicyTestFolder&) = delete;
  PolicyTestFolder& operator=(const PolicyTestFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
  }
  static std::string read(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

/// Grows every domain with less than 100 MiB of headroom by 50 MiB, and asks for an early tick and
/// its report.
inline constexpr const char* kStepPolicy = R"(return {
  api = 1,
  summary = "for the tests of tests",
  params = { step = { default = "50MiB", doc = "one step" } },
  tick = function(ctx)
    ctx.state.ticks = (ctx.state.ticks or 0) + 1
    ctx.log.info("tick " .. ctx.state.ticks)
    if #ctx.domains == 7 then error("seven is too many") end
    for _, d in ipairs(ctx.domains) do
      if d.headroom < 100*MiB then d:grow(ctx.params.step, "was short") ctx.again(0.5) d:refresh() end
    end
  end,
}
)";

struct PolicyTestRun {
  bindings::testing::TestCounts counts;
  std::string output;
};

/// Runs the tests of a folder.
inline PolicyTestRun run_in(const PolicyTestFolder& folder,
                            const bindings::testing::TestOptions& options = {}) {
  std::ostringstream out;
  const auto counts = bindings::testing::run_policy_tests({folder.path()}, options, out);
  REQUIRE_MESSAGE(counts, counts.error().text());
  return {*counts, out.str()};
}

/// Runs one test file, whose `step` is the policy above.
inline PolicyTestRun run(const std::string& tests,
                         const bindings::testing::TestOptions& options = {}) {
  const PolicyTestFolder folder;
  folder.write("step.lua", kStepPolicy);
  folder.write("step_test.lua", "local step = policy(\"step.lua\")\n" + tests);
  return run_in(folder, options);
}

/// The output of one test, which must fail. `body` begins on line 3.
inline std::string failure_of(const std::string& body) {
  const PolicyTestRun ran = run("test(\"it\", function()\n" + body + "\nend)\n");
  INFO(ran.output);
  CHECK(ran.counts.failed == 1);
  return ran.output;
}

/// Checks that one test has passed.
inline void passes(const PolicyTestRun& ran) {
  INFO(ran.output);
  CHECK(ran.counts.passed == 1);
  CHECK(ran.counts.failed == 0);
}
inline void passes(const std::string& body) {
  passes(run("test(\"it\", function()\n" + body + "\nend)\n"));
}

}  // namespace memcoord::test
