#pragma once
// Running tests of policies from within a test.

#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "bindings/testing/policy_tests.h"
#include "tests/text.h"
#include "tests/unit/bindings/policy_test_folder.h"

namespace memcoord::test {

/// A policy that is simple to predict: grows every domain under 100 MiB by 50 MiB.
inline constexpr const char* kStepPolicy = R"(return {
  api = 1,
  summary = "for the tests of tests",
  params = { step = { default = "50MiB", doc = "one step" } },
  tick = function(ctx)
    ctx.state.ticks = (ctx.state.ticks or 0) + 1
    ctx.log.info("tick " .. ctx.state.ticks)
    if #ctx.domains == 7 then error("seven is too many") end
    for _, d in ipairs(ctx.domains) do
      if d.headroom < 100*MiB then d:grow(ctx.params.step, "was short") end
    end
  end,
}
)";

struct PolicyTestRun {
  bindings::testing::TestCounts counts;
  std::string output;
};

/// Runs a folder's tests.
inline PolicyTestRun run_in(const PolicyTestFolder& folder,
                            bindings::testing::TestOptions options = {}) {
  std::ostringstream out;
  const auto counts = bindings::testing::run_policy_tests({folder.path()}, options, out);
  REQUIRE_MESSAGE(counts, counts.error().text());
  return {*counts, out.str()};
}

/// Runs one test file, which finds the policy above as `step`.
inline PolicyTestRun run(const std::string& tests, bindings::testing::TestOptions options = {}) {
  const PolicyTestFolder folder;
  folder.write("step.lua", kStepPolicy);
  folder.write("step_test.lua", "local step = policy(\"step.lua\")\n" + tests);
  return run_in(folder, options);
}

/// The output of one test, which is meant to fail.
inline std::string failure_of(const std::string& body) {
  const PolicyTestRun ran = run("test(\"it\", function()\n" + body + "\nend)\n");
  INFO(ran.output);
  CHECK(ran.counts.failed == 1);
  return ran.output;
}

/// Of one test, which is meant to pass.
inline void passes(const PolicyTestRun& ran) {
  INFO(ran.output);
  CHECK(ran.counts.passed == 1);
  CHECK(ran.counts.failed == 0);
}
inline void passes(const std::string& body) {
  passes(run("test(\"it\", function()\n" + body + "\nend)\n"));
}

}  // namespace memcoord::test
