#pragma once
// What --help and --version print.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace memcoord::cli {

/// The program's name, description, version and examples, and how its help is laid out. Call it
/// before subcommands are added: they inherit the layout.
void describe_program(CLI::App& program);

/// One example in a help: a command line and what it is for.
struct Example {
  std::string command;
  std::string purpose;
};
/// The examples as the end of a help text.
std::string examples_text(const std::vector<Example>& examples);

/// The help of one command: `memcoord domain set --help`.
std::string help_text(const CLI::App& app);

}  // namespace memcoord::cli
