// The command line. The only user of CLI11.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/cli/command.h"
#include "engine/core/names.h"

namespace memcoord::cli {
namespace {

/// Carries an Error through CLI11's parser, which reports errors by exceptions.
class BadValue : public CLI::ParseError {
 public:
  explicit BadValue(memcoord::Error error)
      : CLI::ParseError("BadValue", error.text(), CLI::ExitCodes::ValidationError),
        error_(std::move(error)) {}
  [[nodiscard]] const memcoord::Error& error() const { return error_; }

 private:
  memcoord::Error error_;  // CLI::ParseError has an Error of its own
};

std::string names_for_parser(const Option& option) {
  std::string names;
  for (const std::string& name : option.names) names += name + ",";
  names += option.argument;
  if (names.back() == ',') names.pop_back();
  return names;
}

void hand_over(const Option& option, const std::string& value) {
  if (Status taken = option.take(value); !taken) throw BadValue(taken.error());
}

CLI::Option* add_valued(CLI::App& app, const Option& option) {
  const auto callback = [&option](const CLI::results_t& values) {
    for (const std::string& value : values) hand_over(option, value);
    return true;
  };
  CLI::Option* added = app.add_option(names_for_parser(option), callback);
  added->type_name(option.value)->type_size(1);
  switch (option.kind) {
    case Option::Kind::list:
      return added->expected(CLI::detail::expected_max_vector_size);
    case Option::Kind::repeated:
      // Without allow_extra_args(false), "--include web-* 2" would take the interval for a pattern.
      return added->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(false);
    default:
      return added->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

// "--dry-run=false" overrides "dry-run = true" in a configuration file. No other value is accepted.
CLI::Option* add_flag_without_value(CLI::App& app, const Option& option) {
  const auto callback = [&option](const CLI::results_t& values) {
    const std::string& value = values.front();
    if (value != "true" && value != "false") return false;
    hand_over(option, value);
    return true;
  };
  return app.add_option(names_for_parser(option), callback)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->expected(0);
}

CLI::Option* add_to_parser(CLI::App& app, const Option& option) {
  CLI::Option* added = nullptr;
  if (option.takes_value()) {
    added = add_valued(app, option);
  } else if (option.kind == Option::Kind::help) {
    added = app.set_help_flag(names_for_parser(option));
  } else if (option.kind == Option::Kind::version) {
    added = app.set_version_flag(names_for_parser(option));
  } else {
    added = add_flag_without_value(app, option);
  }
  if (option.required) added->required();
  if (!option.excludes.empty()) added->excludes(app.get_option(option.excludes));
  return added;
}

/// The commands as a CLI11 parser.
class Parser {
 public:
  explicit Parser(Command& program) {
    app_.name(program.name);
    app_.set_help_flag();
    app_.allow_extras();
    app_.require_subcommand(0, 1);
    describe(app_, program);
  }

  Result<CommandLine> parse(std::vector<std::string> arguments);

 private:
  void describe(CLI::App& app, Command& command);
  [[nodiscard]] std::vector<const CLI::App*> named() const;
  [[nodiscard]] const Command& innermost() const { return *commands_.at(named().back()); }
  [[nodiscard]] Status check_leftovers() const;
  void count_given();

  CLI::App app_;
  std::unordered_map<const CLI::App*, const Command*> commands_;
  std::vector<std::pair<Option*, const CLI::Option*>> options_;
};

void Parser::describe(CLI::App& app, Command& command) {
  commands_.emplace(&app, &command);
  if (command.needs_command()) app.require_subcommand(1);
  for (Option& option : command.options) {
    options_.emplace_back(&option, add_to_parser(app, option));
  }
  for (Command& sub : command.commands) describe(*app.add_subcommand(sub.name), sub);
}

// The program and the commands that the line names; the innermost is the last.
std::vector<const CLI::App*> Parser::named() const {
  std::vector<const CLI::App*> apps{&app_};
  while (!apps.back()->get_subcommands().empty()) {
    apps.push_back(apps.back()->get_subcommands().front());
  }
  return apps;
}

void Parser::count_given() {
  for (const auto& [option, parsed] : options_) option->given = parsed->count();
}

std::string hint_for_help(const Command& command) {
  return "see '" + command.called + " --help'";
}

// The option in CLI11's messages: "--policy: 1 required TEXT missing", "Could not convert: --json =
// x".
std::string named_first(std::string_view message) {
  constexpr std::string_view kPrefix = "Could not convert: ";
  if (message.starts_with(kPrefix)) message.remove_prefix(kPrefix.size());
  return std::string(message.substr(0, message.find_first_of(": ")));
}

// The error for an exception of CLI11.
Error usage_error(const CLI::ParseError& thrown, const Command& command) {
  if (const auto* bad = dynamic_cast<const BadValue*>(&thrown)) return bad->error();
  Error error{ErrorCode::invalid_input, "", "", hint_for_help(command), ""};
  const std::string message = thrown.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&thrown) != nullptr) {
    error.object = named_first(message);
    error.message = "needs a value";
  } else if (dynamic_cast<const CLI::RequiredError*>(&thrown) != nullptr) {
    const bool needs_command = message.rfind("A subcommand", 0) == 0;
    error.object = needs_command ? command.called : named_first(message);
    error.message = needs_command ? "needs a command" : "is missing";
  } else if (dynamic_cast<const CLI::ConversionError*>(&thrown) != nullptr ||
             dynamic_cast<const CLI::InvalidError*>(&thrown) != nullptr) {
    error.object = named_first(message);
    const auto named = std::find_if(command.options.begin(), command.options.end(),
                                    [&](const Option& one) { return one.name() == error.object; });
    const bool flag = named != command.options.end() && named->kind == Option::Kind::flag;
    error.message = flag ? "takes no value except true and false" : "takes no value";
  } else if (dynamic_cast<const CLI::ExcludesError*>(&thrown) != nullptr) {
    const std::size_t other = message.rfind("--");
    error.object = message.substr(0, message.find(' '));
    error.message = "contradicts " + (other == std::string::npos ? "" : message.substr(other));
  } else {
    error.message = message;
  }
  return error;
}

// The error for a word that no option or argument takes.
Error unexpected_argument(const std::string& argument, const Command& command) {
  Error error{ErrorCode::invalid_input, argument, "", hint_for_help(command), ""};
  if (argument.size() > 1 && argument.front() == '-') {
    error.object = argument.substr(0, argument.find('='));
    error.message = "no such option";
    const auto nearest = suggest_name(error.object, command.long_names());
    if (nearest) error.hint = "did you mean " + *nearest + "?";
  } else {
    error.message = "one argument too many";
  }
  return error;
}

// Unknown options come first: "--polcy halving" leaves "halving" over, too, but the option is the
// word that is misspelt.
Status refuse_leftovers(std::vector<std::string> left, const Command& command) {
  std::erase(left, "--");  // CLI11 counts the mark itself
  if (left.empty()) return {};
  const auto option = std::find_if(left.begin(), left.end(),
                                   [](const std::string& text) { return text.rfind('-', 0) == 0; });
  return fail(unexpected_argument(option == left.end() ? left.front() : *option, command));
}

Status Parser::check_leftovers() const {
  const std::vector<const CLI::App*> apps = named();
  std::vector<std::string> left = app_.remaining();
  if (apps.size() > 1) {
    const std::vector<std::string> after = apps.back()->remaining();
    left.insert(left.end(), after.begin(), after.end());
  }
  if (Status refused = refuse_leftovers(left, innermost()); !refused) return refused;
  // "domain --json show": words between two commands belong to the first.
  for (std::size_t i = 1; i + 1 < apps.size(); ++i) {
    Status refused = refuse_leftovers(apps[i]->remaining(), *commands_.at(apps[i]));
    if (!refused) return refused;
  }
  return {};
}

// Options before a command belong to the run, which does not happen.
Status check_program_options(const Command& program, const Command& chosen) {
  if (&chosen == &program) return {};
  for (const Option& option : program.options) {
    if (option.given == 0) continue;
    return fail(ErrorCode::invalid_input, option.name(), "is not for '" + chosen.called + "'",
                hint_for_help(chosen));
  }
  return {};
}

/// How many words a command's arguments take; nothing if they take any number.
std::optional<std::size_t> words_taken(const Command& command) {
  std::size_t words = 0;
  for (const Option& option : command.options) {
    if (option.argument.empty()) continue;
    if (option.kind == Option::Kind::list) return std::nullopt;
    ++words;
  }
  return words;
}

/// "domain set -- -web --minimum 1GiB": "--" applies to as many words as the command has arguments;
/// options may follow. CLI11 takes every word after "--" for an argument, so this moves the options
/// ahead of the "--".
void move_options_ahead(const Command& program, std::vector<std::string>& words) {
  const auto mark = std::find(words.begin(), words.end(), "--");
  if (mark == words.end()) return;
  const Command* command = &program;
  for (auto word = words.begin(); word != mark; ++word) {
    if (const Command* named = command->find(*word)) command = named;
  }
  const auto taken = words_taken(*command);
  const auto after = static_cast<std::size_t>(words.end() - mark) - 1;
  if (!taken || after <= *taken) return;
  const auto rest = mark + 1 + static_cast<std::ptrdiff_t>(*taken);
  if (rest->starts_with('-')) std::rotate(mark, rest, words.end());
}

Result<CommandLine> Parser::parse(std::vector<std::string> arguments) {
  try {
    move_options_ahead(*commands_.at(&app_), arguments);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app_.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return CommandLine{CommandLine::Asks::help, &innermost()};
  } catch (const CLI::CallForVersion&) {
    return CommandLine{CommandLine::Asks::version, &innermost()};
  } catch (const CLI::ParseError& thrown) {
    return fail(usage_error(thrown, innermost()));
  }
  count_given();
  if (Status left = check_leftovers(); !left) return fail(left.error());
  const Command& chosen = innermost();
  if (Status options = check_program_options(*commands_.at(&app_), chosen); !options) {
    return fail(options.error());
  }
  return CommandLine{CommandLine::Asks::action, &chosen};
}

}  // namespace

Result<CommandLine> parse_command_line(Command& program, std::vector<std::string> arguments) {
  return Parser(program).parse(std::move(arguments));
}

}  // namespace memcoord::cli
