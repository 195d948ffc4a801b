#pragma once
// What can follow on a half-written command line, from the program's own description of its
// options: a shell asks at every press of the tab key, so no list is ever out of date.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cli/command.h"

namespace memcoord::cli {

/// One thing that can stand there.
struct Candidate {
  std::string text;
  std::string description;
  bool operator==(const Candidate&) const = default;
};

/// What the shell itself is to add.
enum class FileCandidates { none, any, lua };

struct Completions {
  std::vector<Candidate> candidates;  ///< all of them start with the last word
  FileCandidates files = FileCandidates::none;
};

/// Names that only the machine knows.
struct CompletionNames {
  std::vector<std::string> policies;
  std::vector<std::string> scenarios;
};

/// Completes the last of `words` (the program's name left out; the last may be empty).
Completions complete(const Command& program, const std::vector<std::string>& words,
                     const CompletionNames& names);

/// The subcommand, not shown in the help, under which the shells' scripts ask.
inline constexpr std::string_view kCompleteWord = "__complete";

/// The script that a shell loads; none for a shell that is not known.
std::optional<std::string> completion_script(std::string_view shell);

}  // namespace memcoord::cli
