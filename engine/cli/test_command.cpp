// memcoord test PATH...: runs the tests that stand beside policies.

#include <iostream>
#include <memory>

#include "bindings/testing/policy_tests.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/options.h"
#include "engine/cli/terminal.h"

namespace memcoord::cli {
namespace {

struct TestCommandOptions {
  std::vector<std::string> paths;
  bindings::testing::TestOptions tests;
  ColorChoice color = ColorChoice::automatic;
};

Result<ExitCode> test(TestCommandOptions& options) {
  options.tests.color = wants_color(options.color, Stream::output);
  const std::vector<std::filesystem::path> paths(options.paths.begin(), options.paths.end());
  const auto counts = bindings::testing::run_policy_tests(paths, options.tests, std::cout);
  if (!counts) return fail(counts.error());
  return counts->failed == 0 ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

void add_test_command(Commands& commands) {
  const auto options = std::make_shared<TestCommandOptions>();
  CLI::App& app =
      commands.add("test", "Run policies' tests: the files *_test.lua that stand beside them.",
                   [options] { return test(*options); });
  app.add_option("PATH", options->paths,
                 "test files, policies that have one beside them, or folders of them")
      ->required()
      ->type_name("PATH");
  add_option(
      app,
      {"--filter", "PATTERN", "only tests with this in their name or their file's name; or a glob"},
      into_text(options->tests.filter));
  add_option(app, {"--junit", "FILE", "write the results as JUnit XML too"},
             into_text(options->tests.junit));
  app.add_flag("-q,--quiet", options->tests.quiet, "no line for a test that passes");
  add_color_option(app, options->color);
  app.footer(examples_text({
      {"memcoord test policies/", "every test in a folder"},
      {"memcoord test mine.lua", "the test beside a policy"},
      {"memcoord test policies/ --filter starved --junit results.xml", "some of them, for CI"},
  }));
}

}  // namespace memcoord::cli
