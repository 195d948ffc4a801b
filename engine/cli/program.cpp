// The program: command line in, exit code out.

#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <lua.h>
#include <unistd.h>

#include <exception>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/completion.h"
#include "engine/cli/help.h"
#include "engine/cli/manual_pages.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/standard_output.h"
#include "engine/cli/terminal.h"
#include "engine/cli/version.h"

namespace memcoord::cli {
namespace {

// In the order of the help.
void add_commands(Command& program) {
  add_run_command(program);
  add_record_command(program);
  add_top_command(program);
  add_control_commands(program);
  add_headroom_command(program);
  add_admit_command(program);
  add_policies_command(program);
  add_check_command(program);
  add_test_command(program);
  add_simulate_command(program);
  add_compare_command(program);
  add_density_command(program);
  add_merge_command(program);
  add_replay_command(program);
  add_ticks_command(program);
  add_report_command(program);
  add_traces_command(program);
  add_domain_command(program);
  add_fleet_command(program);
  add_completion_command(program);
  add_help_command(program);
}

std::string version_text() {
  unsigned long libvirt = 0;
  virGetVersion(&libvirt, nullptr, nullptr);
  const std::string package = kPackage.empty() ? "" : fmt::format("{}, ", kPackage);
  return fmt::format("memcoord {} ({}libvirt {}.{}.{}, {})", kVersion, package, libvirt / 1000000,
                     libvirt / 1000 % 1000, libvirt % 1000, LUA_RELEASE);
}

Result<ExitCode> parse_and_act(std::vector<std::string> arguments) {
  Command program(
      "memcoord",
      "Balances memory between the virtual machines of a KVM host. In each interval it samples the "
      "host and its domains, asks a policy (a Lua script) for new balloon sizes, and moves the "
      "balloons within limits that no policy can exceed.");
  add_help_option(program, kGeneralGroup);
  add_version_option(program);
  add_commands(program);
  if (!arguments.empty() && arguments.front() == kCompleteWord) {
    arguments.erase(arguments.begin());
    standard_output().lines(completion_answer(program, arguments, completion_sources()));
    return ExitCode::ok;
  }
  if (!arguments.empty() && arguments.front() == kManualWord) {
    arguments.erase(arguments.begin());
    const auto page = manual_page(program, arguments, {kRelease, kReleaseDay});
    if (!page) return fail(page.error());
    standard_output().lines(*page);
    return ExitCode::ok;
  }
  const auto line = parse_command_line(program, arguments, is_bundled_or_file);
  if (!line) return fail(line.error());
  switch (line->asks) {
    case CommandLine::Asks::help:
      standard_output().lines(help_text(*line->command));
      return ExitCode::ok;
    case CommandLine::Asks::version:
      standard_output() << version_text() << '\n';
      return ExitCode::ok;
    case CommandLine::Asks::action:
      break;
  }
  if (!line->command->action) {
    return fail(ErrorCode::internal, line->command->called, "has no action");
  }
  return line->command->action();
}

/// The exit code of a command that has done its work, whose output may be lost.
ExitCode after_output(ExitCode code) {
  standard_output().flush();
  const auto error = output_error();
  if (!error) return code;
  report(*error);
  return code == ExitCode::ok ? exit_code_for(*error) : code;
}

// No exception escapes.
ExitCode run_program(const std::vector<std::string>& arguments) {
  occupy_closed_streams();
  const OutputBuffer output(STDOUT_FILENO, is_terminal(Stream::output));
  try {
    const Result<ExitCode> result = parse_and_act(arguments);
    if (result) return after_output(*result);
    report(result.error());
    return exit_code_for(result.error());
  } catch (const std::exception& exception) {
    report(Error{ErrorCode::internal, "", exception.what(), "this is a bug in memcoord", ""});
    return ExitCode::failed;
  }
}

}  // namespace
}  // namespace memcoord::cli

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return static_cast<int>(memcoord::cli::run_program(arguments));
}
