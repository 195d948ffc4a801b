#pragma once
// Texts that follow from the description of commands and options: --help, the manual page, shell
// completion.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cli/command.h"

namespace memcoord::cli {

/// One example in a help: a command line and its purpose.
struct Example {
  std::string command;
  std::string purpose;
};
/// The examples as Command::footer.
std::string examples_text(const std::vector<Example>& examples);

/// The help of one command: `memcoord domain set --help`.
std::string help_text(const Command& command);

/// The command that a list of names leads to: "domain", "set". Errors: invalid_input for a name
/// that is no command, with the nearest one.
Result<const Command*> find_command(const Command& program, const std::vector<std::string>& names);

/// The manual page memcoord(1), in the man macros of roff (groff_man(7)).
std::string manual_page(const Command& program, std::string_view version);

/// The hidden command that prints the manual page, for the build.
inline constexpr std::string_view kManualWord = "__manual";

// --- Completion. A shell asks at every press of the tab key, so its answers are always current.
// ---

/// A word that the shell may offer.
struct Candidate {
  std::string text;
  std::string description;
  bool operator==(const Candidate&) const = default;
};

/// The files that the shell adds to the candidates.
enum class FileCandidates { none, any, lua };

struct Completions {
  std::vector<Candidate> candidates;  ///< all of them start with the last word
  FileCandidates files = FileCandidates::none;
};

/// Bundled files, by name.
struct CompletionNames {
  std::vector<std::string> policies;
  std::vector<std::string> scenarios;
};

/// Completes the last of `words` (without the program's name; the last may be empty).
Completions complete(const Command& program, const std::vector<std::string>& words,
                     const CompletionNames& names);

/// The hidden command that prints candidates, for the shells' scripts.
inline constexpr std::string_view kCompleteWord = "__complete";

/// The script that a shell loads; none for an unknown shell.
std::optional<std::string> completion_script(std::string_view shell);

}  // namespace memcoord::cli
