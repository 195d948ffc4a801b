// memcoord test PATH...: runs the tests that stand beside policies.

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
  const auto counts = bindings::testing::run_policy_tests(paths, options.tests, standard_output());
  if (!counts) return fail(counts.error());
  return counts->failed == 0 ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

void add_test_command(Command& program) {
  const auto options = std::make_shared<TestCommandOptions>();
  Command& command =
      program.add("test", "Run policies' tests: the files *_test.lua that stand beside them.",
                  [options] { return test(*options); });
  add_list(command,
           {.names = "PATH",
            .value = "PATH",
            .description = "test files, policies that have one beside them, or folders of them",
            .required = true},
           into_list(options->paths));
  add_option(
      command,
      {"--filter", "PATTERN", "only tests with this in their name or their file's name; or a glob"},
      into_text(options->tests.filter));
  add_option(command, {"--junit", "FILE", "write the results as JUnit XML too"},
             into_text(options->tests.junit));
  add_flag(command, {"-q,--quiet", "no line for a test that passes"}, options->tests.quiet);
  add_color_option(command, options->color);
  command.footer = examples_text({
      {"memcoord test policies/", "every test in a folder"},
      {"memcoord test mine.lua", "the test beside a policy"},
      {"memcoord test policies/ --filter starved --junit results.xml", "some of them, for CI"},
  });
}

}  // namespace memcoord::cli
