#pragma once
// Helpers of the parser (command_line.cpp): the order of the words in a command line, and the
// errors for words that do not fit.

#include <string>
#include <string_view>
#include <vector>

#include "engine/cli/command.h"

namespace memcoord::cli {

/// The words of a command line, with each option behind the command that has it.
struct WordOrder {
  std::vector<std::string> words;
  const Command* command = nullptr;  ///< the innermost command that the words name
  /// The first argument before a command. Empty for none, and behind an unknown option, whose value
  /// it may be.
  std::string first_argument;
};

/// Moves options ahead of a command behind it if it has them: "-c URI domain show" becomes
/// "domain show -c URI". Options that the command does not have stay. Errors: invalid_input for an
/// option where a value must be, and for a long option with one dash.
Result<WordOrder> order_words(const Command& program, const std::vector<std::string>& words);

/// The command's option of that name ("-c", "--connect"), or null.
const Option* own_option(const Command& command, std::string_view name);

/// The name in a word that is an option: "--policy" of "--policy=band", "-c" of "-cURI".
std::string_view option_name(std::string_view word);

/// What the hints for a word depend on.
struct WordContext {
  const Command& program;
  const Command& chosen;  ///< the innermost command of the line
  const Recognizes& recognizes;
};

/// "see 'memcoord domain --help'"
std::string hint_for_help(const Command& command);

/// The error for an option of the run that the command does not have.
Error not_for(const Option& option, const Command& command);

/// The error for a word that is no option, command or argument of the command, which is not
/// `chosen` if a command of its own follows.
Error unexpected_word(const std::string& word, const Command& command, const WordContext& context);

}  // namespace memcoord::cli
