#pragma once
// How a subcommand joins the program: it adds a CLI11 app with its options, and what to do.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <unordered_map>

#include "engine/cli/exit_code.h"
#include "engine/core/error.h"

namespace memcoord::cli {

/// Does what was asked; writes results to standard output, nothing else. An Error ends the program
/// with one line on standard error.
using Action = std::function<Result<ExitCode>()>;

/// The program's commands: each file engine/cli/*_command.cpp adds its own (see commands.cpp). The
/// values of a command's options live in what its action captures.
class Commands {
 public:
  explicit Commands(CLI::App& program) : program_(program) {}

  /// A subcommand of the program, listed in the help under `group`.
  CLI::App& add(const std::string& name, const std::string& description, Action action);
  /// A subcommand of another ("domain set"); the other needs no action of its own.
  CLI::App& add_under(CLI::App& parent, const std::string& name, const std::string& description,
                      Action action);
  /// What the program does when no subcommand is named.
  void set_default(Action action) { actions_[&program_] = std::move(action); }

  [[nodiscard]] CLI::App& program() const { return program_; }
  /// The action of the innermost subcommand that was parsed, and that subcommand.
  struct Chosen {
    const CLI::App* app;
    const Action* action;
  };
  [[nodiscard]] Chosen chosen() const;

 private:
  CLI::App& program_;
  std::unordered_map<const CLI::App*, Action> actions_;
};

}  // namespace memcoord::cli
