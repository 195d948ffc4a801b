#pragma once
// Parses command lines, by CLI11, which no other file of the program sees.

#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/core/error.h"

namespace memcoord::cli {

/// What a command line asks for.
struct CommandLine {
  enum class Asks { action, help, version };
  Asks asks = Asks::action;
  const Command* command = nullptr;  ///< the innermost that was named
};

/// Parses `arguments` (argv without the program's name): hands values to the options of the
/// commands that are named, and counts how often each was given.
/// Errors: invalid_input, with the option's or the argument's name: a value that the option
/// refuses, an unknown option with the nearest name, a word too many, an option before a command
/// that it is not for.
Result<CommandLine> parse_command_line(Command& program, std::vector<std::string> arguments);

}  // namespace memcoord::cli
