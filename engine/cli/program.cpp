#include "engine/cli/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>

#include "engine/cli/bundled_files.h"
#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/completion.h"
#include "engine/cli/help.h"
#include "engine/cli/manual_page.h"
#include "engine/cli/options.h"
#include "engine/cli/report.h"

namespace memcoord::cli {
namespace {

// Unknown options are looked for before anything else: "--polcy halving" leaves a stray "halving",
// and of the two the option is the one that was misspelt.
Status check_leftovers(const CLI::App& program, const CLI::App& chosen) {
  std::vector<std::string> left = chosen.remaining();
  if (&chosen != &program) {
    const std::vector<std::string> before = program.remaining();
    left.insert(left.begin(), before.begin(), before.end());
  }
  if (left.empty()) return {};
  const auto option = std::find_if(left.begin(), left.end(),
                                   [](const std::string& text) { return text.rfind('-', 0) == 0; });
  return fail(unexpected_argument(option == left.end() ? left.front() : *option, chosen));
}

// What stands before a subcommand belongs to the run that does not happen.
Status check_program_options(const CLI::App& program, const CLI::App& chosen) {
  if (&chosen == &program) return {};
  for (const CLI::Option* option : program.get_options()) {
    if (option->count() == 0) continue;
    return fail(ErrorCode::invalid_input, option->get_name(),
                "is not for '" + command_name(chosen) + "'",
                "see '" + command_name(chosen) + " --help'");
  }
  return {};
}

Result<ExitCode> act(const Commands& commands) {
  const auto [app, action] = commands.chosen();
  if (Status left = check_leftovers(commands.program(), *app); !left) return fail(left.error());
  if (Status options = check_program_options(commands.program(), *app); !options) {
    return fail(options.error());
  }
  if (action == nullptr) return fail(ErrorCode::internal, command_name(*app), "does nothing yet");
  return (*action)();
}

const CLI::App& innermost(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

std::vector<std::string> bundled_names(BundledKind kind) {
  std::vector<std::string> names;
  for (const auto& path : BundledFiles(kind, data_directories()).list()) {
    names.push_back(path.stem().string());
  }
  return names;
}

// Answers a shell's question; completion_scripts.cpp describes the form.
ExitCode print_completions(const CLI::App& program, std::vector<std::string> words) {
  words.erase(words.begin());
  const Completions answer = complete(
      program, words, {bundled_names(BundledKind::policy), bundled_names(BundledKind::scenario)});
  for (const Candidate& candidate : answer.candidates) {
    std::cout << candidate.text << '\t' << candidate.description << '\n';
  }
  if (answer.files == FileCandidates::any) std::cout << ":files\n";
  if (answer.files == FileCandidates::lua) std::cout << ":lua\n";
  return ExitCode::ok;
}

Result<ExitCode> parse_and_act(std::vector<std::string> arguments) {
  CLI::App program;
  Commands commands(program);
  describe_program(program);
  add_commands(commands);
  if (!arguments.empty() && arguments.front() == kCompleteWord) {
    return print_completions(program, std::move(arguments));
  }
  if (!arguments.empty() && arguments.front() == kManualWord) {
    std::cout << manual_page(program);
    return ExitCode::ok;
  }
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    program.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    std::cout << help_text(innermost(program));
    return ExitCode::ok;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << '\n';
    return ExitCode::ok;
  } catch (const CLI::ParseError& thrown) {
    return fail(usage_error(thrown, innermost(program)));
  }
  return act(commands);
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
