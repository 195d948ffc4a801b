#pragma once
// Command lines of the tools that stand beside the tests: the lab's and the benchmarks'.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/help.h"

namespace memcoord::testing {

/// Parses the arguments of `main`, --help too. The exit code where the tool ends here.
inline std::optional<int> ends_with(cli::Command& tool, int argc, char** argv) {
  cli::add_help_option(tool);
  const auto line = cli::parse_command_line(tool, {argv + 1, argv + argc});
  if (!line) {
    std::fprintf(stderr, "%s: %s\n", tool.name.c_str(), line.error().text().c_str());
    return 2;
  }
  if (line->asks != cli::CommandLine::Asks::help) return std::nullopt;
  std::fputs(cli::help_text(tool).c_str(), stdout);
  return 0;
}

/// A whole number over 0.
inline Result<std::int64_t> parse_count(const std::string& text) {
  return cli::parse_whole_number(text, {1, 1'000'000});
}

/// Appends names. Errors: invalid_input, for an unknown one.
inline cli::TakeText into_known(std::vector<std::string>& target, std::vector<std::string> known) {
  return [&target, known = std::move(known)](const std::string& name) -> Status {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return fail(ErrorCode::invalid_input, "", "'" + name + "' is not known",
                  fmt::format("expected some of {}", fmt::join(known, ", ")));
    }
    target.push_back(name);
    return {};
  };
}

}  // namespace memcoord::testing
