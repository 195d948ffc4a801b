#pragma once
// The texts of --help. They follow from the description of commands and options.

#include <string>
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

}  // namespace memcoord::cli
