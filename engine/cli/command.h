#pragma once
// The program's description of itself, in plain values: commands with their options. The parser
// (command_line.h), the help, the manual page and completion all read it.

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "engine/cli/exit_code.h"
#include "engine/core/error.h"

namespace memcoord::cli {

/// Does what was asked; writes results to standard output, nothing else. An Error ends the program
/// with one line on standard error.
using Action = std::function<Result<ExitCode>()>;

/// Stores an option's text, or refuses it.
using TakeText = std::function<Status(const std::string&)>;

/// An option or an argument of a command. options.h adds them.
struct Option {
  enum class Kind {
    flag,      ///< `take` gets "true" or "false"
    single,    ///< one value; given twice, the last one counts
    repeated,  ///< one value each time, in order
    list,      ///< every word that follows
    help,
    version,
  };
  Kind kind = Kind::flag;
  std::vector<std::string> names;  ///< "-p", "--policy"; empty for an argument
  std::string argument;            ///< its name where it may stand without dashes: "INTERVAL"
  std::string value;               ///< what the help calls its value: "FILE|NAME"
  std::string description;
  std::string group;         ///< the heading in the help
  bool required = false;     ///< the command line must give it
  bool configurable = true;  ///< a configuration file may set it
  std::string excludes;      ///< the option that contradicts it: "--json"
  TakeText take;             ///< not for help and version
  std::size_t given = 0;     ///< how often the command line gave it

  [[nodiscard]] bool takes_value() const {
    return kind == Kind::single || kind == Kind::repeated || kind == Kind::list;
  }
  [[nodiscard]] bool takes_several() const { return kind == Kind::repeated || kind == Kind::list; }
  /// The long name where there is one: what errors call it.
  [[nodiscard]] std::string name() const;
};

/// A command of the program, or the program itself. The values of its options live in what its
/// action captures.
struct Command {
  /// The program.
  Command(std::string name, std::string description);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  std::string name;
  std::string called;  ///< from the shell: "memcoord domain set"
  std::string description;
  std::string footer;  ///< the examples at the end of the help
  std::vector<Option> options;
  std::list<Command> commands;  ///< their addresses stay
  Action action;

  /// Adds a command, which has --help. Without an action it needs a command of its own.
  Command& add(const std::string& its_name, std::string its_description, Action its_action);
  /// Its command of that name, or null.
  [[nodiscard]] const Command* find(const std::string& its_name) const;
  /// It does nothing by itself: the command line has to name one of its commands.
  [[nodiscard]] bool needs_command() const { return !action && !commands.empty(); }
  /// The long names of its options ("--journal"), in order.
  [[nodiscard]] std::vector<std::string> long_names() const;
  /// The headings of its options, in order.
  [[nodiscard]] std::vector<std::string> groups() const;
  [[nodiscard]] std::vector<const Option*> arguments() const;
};

}  // namespace memcoord::cli
