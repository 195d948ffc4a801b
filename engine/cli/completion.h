#pragma once
// Completion of command lines in bash, zsh and fish. Their scripts ask memcoord at every press of
// the tab key, so the answer is always that of the installed program, with the names of this
// moment.
//
//   shell's script -> __complete SHELL ... -> read the words, as the shell quotes them
//                  -> complete() -> one answer, which the script hands to its shell
//
// The scripts evaluate nothing: they pass the line as it is, and quoting is the shell's own.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cli/command.h"

namespace memcoord::cli {

// --- Candidates (completion.cpp) ---

/// A word that the shell may offer. One that ends in "=", ":", "," or "/" is a beginning: the shell
/// adds no blank.
struct Candidate {
  std::string text;
  std::string description;
  bool operator==(const Candidate&) const = default;
};

/// A parameter of a policy.
struct CompletedParameter {
  std::string name;
  std::string default_text;
  std::string doc;
  std::vector<std::string> choices;  ///< empty: any value
};

/// Files whose path begins with a text.
struct FileQuery {
  std::string begun;
  std::string glob;    ///< of the file's name: "*.lua"
  bool tilde = false;  ///< "~/" at its beginning is the user's home
};

/// The names of this host and of this moment. Each function returns nothing where it finds nothing,
/// and reports no error.
struct CompletionSources {
  std::string default_policy;
  std::function<std::vector<Candidate>()> policies;   ///< the bundled ones
  std::function<std::vector<Candidate>()> scenarios;  ///< the bundled ones
  std::function<std::vector<CompletedParameter>(const std::string& policy)> parameters;
  /// The active domains of the run that serves this control socket; empty: the default socket.
  std::function<std::vector<std::string>(const std::string& socket)> domains;
  /// Paths that begin as the query does: matching files, and folders with a "/". All files where
  /// none matches.
  std::function<std::vector<std::string>(const FileQuery& query)> files;
};

/// Those of this host (completion_sources.cpp).
CompletionSources completion_sources();

struct Completions {
  std::vector<Candidate> candidates;  ///< all of them start with the last word
  std::string files;                  ///< the glob of files that fit too, "*.lua"; empty: none
  std::string prefix;                 ///< the part of the last word before the file: "--config="
};

/// Completes the last of `words`, which may be empty. The words are without quotes, and without the
/// program's name.
Completions complete(const Command& program, const std::vector<std::string>& words,
                     const CompletionSources& sources);

// --- Words of a shell's line (shell_line.cpp) ---

/// An unfinished command line, up to the cursor.
struct ShellLine {
  std::vector<std::string> words;  ///< without quotes; the last one is unfinished, maybe empty
  /// The bytes of the last word that the shell keeps: it replaces the rest. A shell may begin a new
  /// word at a colon.
  std::size_t kept = 0;
  char quote = 0;          ///< the quote that is open in the last word; 0: none
  bool tilde = false;      ///< the last word begins with a tilde that the shell expands
  bool redirects = false;  ///< the last word is the file of a redirection
};

/// Splits a line as a POSIX shell does. It expands nothing: variables and substitutions stay as
/// they are written. Characters of `breaks` (bash's COMP_WORDBREAKS) end what the shell keeps.
ShellLine split_shell_line(std::string_view line, std::string_view breaks);

/// The text in the form that the shell needs at the end of the line, behind an open quote if there
/// is one. Nothing if the quote does not allow it. Without a quote, a tilde stays as it is where
/// the line has one.
std::optional<std::string> shell_word_in(const ShellLine& line, std::string_view text);

// --- Shells (completion_scripts.cpp) ---

/// The hidden command that prints the candidates, for the shells' scripts.
inline constexpr std::string_view kCompleteWord = "__complete";

/// The answer to `memcoord __complete SHELL ...`, whose request has these forms:
///
///   bash BREAKS LINE        COMP_WORDBREAKS, and the line up to the cursor
///   zsh WORD...             the words after the program's name, without quotes
///   fish WORD... WORD       as zsh; the last word as it is written
///
/// bash and fish get a line for each candidate and each file: quoted, and without what the line
/// keeps (bash); with a tab and the description (fish). zsh gets the glob of files (or nothing) and
/// the part of the last word before the file, a line each, then the candidates as fish. Names with
/// characters that act on a terminal are left out. The answer to any other request is empty.
std::string completion_answer(const Command& program, const std::vector<std::string>& request,
                              const CompletionSources& sources);

/// The script that a shell loads; empty for an unknown shell.
std::string_view completion_script(std::string_view shell);

}  // namespace memcoord::cli
