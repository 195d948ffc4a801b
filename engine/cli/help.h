#pragma once
// What --help prints.

#include <string>
#include <vector>

#include "engine/cli/command.h"

namespace memcoord::cli {

/// One example in a help: a command line and what it is for.
struct Example {
  std::string command;
  std::string purpose;
};
/// The examples as the end of a help text.
std::string examples_text(const std::vector<Example>& examples);

/// The help of one command: `memcoord domain set --help`.
std::string help_text(const Command& command);

}  // namespace memcoord::cli
