#include "engine/cli/program.h"

#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <lua.h>

#include <cstdio>
#include <exception>

#include "engine/cli/bundled_files.h"
#include "engine/cli/command_line.h"
#include "engine/cli/commands.h"
#include "engine/cli/completion.h"
#include "engine/cli/help.h"
#include "engine/cli/manual_page.h"
#include "engine/cli/options.h"
#include "engine/cli/report.h"
#include "engine/cli/terminal.h"
#include "engine/cli/version.h"
#include "engine/core/printable.h"

namespace memcoord::cli {
namespace {

// In the order in which the help lists them.
void add_commands(Command& program) {
  add_run_command(program);
  add_policies_command(program);
  add_check_command(program);
  add_test_command(program);
  add_simulate_command(program);
  add_compare_command(program);
  add_density_command(program);
  add_replay_command(program);
  add_traces_command(program);
  add_domain_command(program);
  add_completion_command(program);
}

std::string version_text() {
  unsigned long libvirt = 0;
  virGetVersion(&libvirt, nullptr, nullptr);
  return fmt::format("memcoord {} (libvirt {}.{}.{}, {})", kVersion, libvirt / 1000000,
                     libvirt / 1000 % 1000, libvirt % 1000, LUA_RELEASE);
}

std::vector<std::string> bundled_names(BundledKind kind) {
  std::vector<std::string> names;
  for (const auto& path : BundledFiles(kind, data_directories()).list()) {
    names.push_back(path.stem().string());
  }
  return names;
}

// Answers a shell's question; completion_scripts.cpp describes the form.
ExitCode print_completions(const Command& program, std::vector<std::string> words) {
  words.erase(words.begin());
  const Completions answer = complete(
      program, words, {bundled_names(BundledKind::policy), bundled_names(BundledKind::scenario)});
  TextOut out = standard_output();
  for (const Candidate& candidate : answer.candidates) {
    // A shell would put such a name into its line, where it acts; nobody could use it otherwise.
    if (printable(candidate.text) != candidate.text) continue;
    out << candidate.text << '\t' << candidate.description << '\n';
  }
  if (answer.files == FileCandidates::any) out << ":files" << '\n';
  if (answer.files == FileCandidates::lua) out << ":lua" << '\n';
  return ExitCode::ok;
}

Result<ExitCode> parse_and_act(std::vector<std::string> arguments) {
  Command program(
      "memcoord",
      "Balances memory between the virtual machines of a KVM host: each interval it looks at the "
      "host and its domains, asks a policy written in Lua what to move, and moves balloons within "
      "floors that no policy can pass.");
  add_help_option(program, kGeneralGroup);
  add_version_option(program);
  add_commands(program);
  if (!arguments.empty() && arguments.front() == kCompleteWord) {
    return print_completions(program, std::move(arguments));
  }
  if (!arguments.empty() && arguments.front() == kManualWord) {
    standard_output().lines(manual_page(program));
    return ExitCode::ok;
  }
  const auto line = parse_command_line(program, std::move(arguments));
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
    return fail(ErrorCode::internal, line->command->called, "does nothing yet");
  }
  return line->command->action();
}

}  // namespace

ExitCode run_program(const std::vector<std::string>& arguments) {
  try {
    const Result<ExitCode> result = parse_and_act(arguments);
    if (result) return *result;
    report(result.error());
    return exit_code_for(result.error());
  } catch (const std::exception& exception) {
    report(
        Error{ErrorCode::internal, "", exception.what(), "this is a fault of memcoord itself", ""});
    return ExitCode::failed;
  }
}

}  // namespace memcoord::cli
