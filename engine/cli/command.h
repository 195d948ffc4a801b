#pragma once
// Describes commands and options as plain values, and gives options their values from the command
// line and a configuration file. Help, manual page and completion (help.h) use the same
// description.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"

namespace memcoord::cli {

// --- The description ---

/// The exit code of the program; docs/command-line.md lists them.
enum class ExitCode {
  ok = 0,         ///< success; also after a signal that ended the run
  failed = 1,     ///< an error at run time: a connection, a failing test, an unsound policy
  bad_usage = 2,  ///< unusable input: an option, a configuration, a file, a name
  forced = 130,   ///< ended at once by a second signal, without restoring anything
};

/// The exit code of a program that ends with this error.
ExitCode exit_code_for(const Error& error);

/// Does the command's work and writes its results, and only those, to standard output. An Error
/// ends the program with one line on standard error.
using Action = std::function<Result<ExitCode>()>;

/// Stores an option's text, or refuses it. Errors: invalid_input.
using TakeText = std::function<Status(const std::string&)>;

/// An option or an argument of a command.
struct Option {
  enum class Kind {
    flag,      ///< `take` gets "true" or "false"
    single,    ///< one value; the last one given counts
    repeated,  ///< one value each time, in order
    list,      ///< every word that follows
    help,
    version,
  };
  Kind kind = Kind::flag;
  std::vector<std::string> names;  ///< "-p", "--policy"; empty for an argument
  std::string argument;            ///< its name as an argument: "INTERVAL"; else empty
  std::string value;               ///< the name of its value in the help: "FILE|NAME"
  std::string description;
  std::string group;         ///< its heading in the help
  bool required = false;     ///< it must be on the command line
  bool configurable = true;  ///< a configuration file may set it
  std::string excludes;      ///< the option that it contradicts: "--json"
  TakeText take;             ///< empty for help and version
  TakeText check_in_file;    ///< a further check of values in a configuration file; may be empty
  std::size_t given = 0;     ///< how often it is on the command line
  bool named = false;        ///< it is there by a name of its own, not as an argument

  [[nodiscard]] bool takes_value() const {
    return kind == Kind::single || kind == Kind::repeated || kind == Kind::list;
  }
  [[nodiscard]] bool takes_several() const { return kind == Kind::repeated || kind == Kind::list; }
  /// Its name in errors: the long name if it has one.
  [[nodiscard]] std::string name() const;
};

/// The program or one of its commands. The action owns the values of the options.
struct Command {
  /// The program.
  Command(std::string name, std::string description);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  std::string name;
  std::string called;  ///< as the shell calls it: "memcoord domain set"
  std::string description;
  std::string footer;  ///< the examples at the end of the help
  std::vector<Option> options;
  std::list<Command> commands;  ///< a list, so that their addresses stay valid
  Action action;

  /// Adds a command with --help. A command without an action needs commands of its own.
  Command& add(const std::string& its_name, std::string its_description, Action its_action);
  /// The command of that name, or null.
  [[nodiscard]] const Command* find(const std::string& its_name) const;
  /// Whether the command line must name one of its commands, because it has no action.
  [[nodiscard]] bool needs_command() const { return !action && !commands.empty(); }
  /// The long names of its options ("--journal"), in order.
  [[nodiscard]] std::vector<std::string> long_names() const;
  /// The headings of its options, in order.
  [[nodiscard]] std::vector<std::string> groups() const;
  [[nodiscard]] std::vector<const Option*> arguments() const;
};

// --- Adding options to a command. Every `target` must outlive the command. ---

inline constexpr const char* kGeneralGroup = "General";

/// An option with a value: {"--connections", "N", "the maximum number of ..."}.
struct OptionText {
  std::string names;  ///< "-p,--policy"; "INTERVAL" for an argument; "--interval,INTERVAL" for both
  std::string value;
  std::string description;
  std::string group = "Options";
  bool required = false;
  bool configurable = true;
};

/// An option without a value: {"--json", "print JSON"}.
struct FlagText {
  std::string names;
  std::string description;
  std::string group = "Options";
  std::string excludes = {};  ///< an option added before
};

/// An option with one value, which goes to `take`. An error gets the option's name.
void add_option(Command& command, const OptionText& text, TakeText take);
/// An option that may be repeated, with one value each time.
void add_repeated_option(Command& command, const OptionText& text, TakeText take);
/// An option or an argument that takes every word that follows.
void add_list(Command& command, const OptionText& text, TakeText take);
/// An argument of one word, stored as it is; an empty one is refused.
void add_argument(Command& command, const OptionText& text, std::string& target);
/// An option whose value is one of `choices`; `take` gets the index of the chosen one. Help and
/// completion show the choices as the value's name: "auto|always|never".
void add_choice(Command& command, OptionText text, std::vector<std::string> choices,
                std::function<void(std::size_t)> take);
void add_flag(Command& command, const FlagText& text, bool& target);
/// A flag that calls `act` when it is given.
void add_flag_action(Command& command, const FlagText& text, std::function<void()> act);
void add_help_option(Command& command, const std::string& group = "Options");
void add_version_option(Command& command);

/// Parses with `parse` and stores the value in `target` (a T or an optional<T>).
template <class Target, class Parse>
TakeText into(Target& target, Parse parse) {
  return [&target, parse = std::move(parse)](const std::string& text) -> Status {
    auto value = parse(text);
    if (!value) return fail(value.error());
    target = static_cast<Target>(*std::move(value));
    return {};
  };
}
/// Appends the text as it is; refuses an empty one.
TakeText into_list(std::vector<std::string>& target);
/// Stores the text as it is; refuses an empty one.
template <class Target>
TakeText into_text(Target& target) {
  return [&target](const std::string& text) -> Status {
    if (text.empty()) return fail(ErrorCode::invalid_input, "", "the value is empty");
    target = text;
    return {};
  };
}

// --- Values from text. Errors: invalid_input without an object; the caller adds the option. ---

/// A time: "2", "0.5" (seconds), "500ms", "2s", "1m", "1h"; from 1 ms to 24 h.
Result<Duration> parse_duration(std::string_view text);
/// The same, or zero: "0", "0s".
Result<Duration> parse_min_interval(std::string_view text);
/// A time in the past: "90" (seconds), "30m", "8h", "7d"; from 1 ms to 366 d.
Result<Duration> parse_age(std::string_view text);
/// A share over 0 and at most 1: "50%", "0.5".
Result<double> parse_share(std::string_view text);
/// A number over 0: "1.5", "150%".
Result<double> parse_ratio(std::string_view text);
/// Bounds of a whole number, both included.
struct Bounds {
  std::int64_t min;
  std::int64_t max;
};
Result<std::int64_t> parse_whole_number(std::string_view text, Bounds bounds);
/// A finite number over 0.
Result<double> parse_weight(std::string_view text);
/// A size over 0, with its unit.
Result<MemorySize> parse_size(std::string_view text);
/// "name=value", split at the first "="; the name is not empty.
Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text);

// --- The command line (command_line.cpp, with CLI11) ---

/// The request of a command line.
struct CommandLine {
  enum class Asks { action, help, version };
  Asks asks = Asks::action;
  const Command* command = nullptr;  ///< the innermost command that was named
};

/// Whether a word is probably meant as the option's value: "halving" for --policy. May be empty.
using Recognizes = std::function<bool(const Option& option, const std::string& word)>;

/// Parses `arguments` (argv without the program's name), gives the values to the options of the
/// named commands and counts them in Option::given. An option may stand before the command that has
/// it. Hints use `recognizes`.
/// Errors: invalid_input with the option or argument as its object: a refused value, an unknown
/// option or command (with the nearest name), a word too many, an option before a command that does
/// not have it.
Result<CommandLine> parse_command_line(Command& program, const std::vector<std::string>& arguments,
                                       const Recognizes& recognizes = {});

/// The option that a word was probably meant for: "did you mean --policy halving?"
std::optional<std::string> misplaced_hint(const std::string& word, const Command& command,
                                          const Recognizes& recognizes);
/// The error for the first word of a command line that is neither a command nor an interval. None
/// if the word is an interval, or was meant as one: "2x".
std::optional<Error> neither_command_nor_time(const std::string& word, const Command& program,
                                              const Recognizes& recognizes);
/// The error for a word that names none of the command's commands, with the nearest name.
Error unknown_command(const std::string& word, const Command& command);

// --- Configuration files (configuration.cpp, with toml++) ---

/// Where a configuration file sets a value.
struct Origin {
  std::string key;  ///< "policy", "set.low"
  std::string value;
  std::string place;  ///< "memcoord.toml:1:10"
};
using Origins = std::vector<Origin>;

/// Reads a TOML file whose keys are the long names of options without the dashes, and whose table
/// [set] has the policy's parameters. Gives the values to the command's options, except to options
/// that the command line gave (Option::given); the values of [set] go to --set in any case. Returns
/// the values' places, in their order.
/// Errors: not_found or permission_denied (the file); invalid_input with "path:line:column" as its
/// object: text that is not TOML, an unknown key (with the nearest name), a value of the wrong type
/// or one that the option refuses.
Result<Origins> apply_configuration(const std::string& path, const Command& command);
/// The same for the text of a file; errors name `path`.
Result<Origins> apply_configuration_text(std::string_view text, const std::string& path,
                                         const Command& command);
/// The error with the place of the value that it is about, if the configuration set that value:
/// "memcoord.toml:1:10: policy: halvign: no such policy". Its object is the value, "--KEY", or
/// "--KEY VALUE".
Error with_origin(Error error, const Origins& origins);

}  // namespace memcoord::cli
