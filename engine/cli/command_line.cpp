// The command line. The only user of CLI11.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/cli/command.h"
#include "engine/cli/usage.h"

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
  if (!option.excludes.empty()) added->excludes(app.get_option(option.excludes));
  return added;
}

/// The commands as a CLI11 parser.
class Parser {
 public:
  Parser(Command& program, const Recognizes& recognizes)
      : program_(program), recognizes_(recognizes) {
    app_.name(program.name);
    app_.set_help_flag();
    app_.allow_extras();
    describe(app_, program);
  }

  Result<CommandLine> parse(const std::vector<std::string>& arguments);

 private:
  void describe(CLI::App& app, Command& command);
  [[nodiscard]] std::vector<const CLI::App*> named() const;
  [[nodiscard]] const Command& innermost() const { return *commands_.at(named().back()); }
  [[nodiscard]] Status refuse_leftovers(std::vector<std::string> left,
                                        const Command& command) const;
  [[nodiscard]] Status check_leftovers() const;
  void count_given(const std::vector<std::string>& words);

  Command& program_;
  const Recognizes& recognizes_;
  CLI::App app_;
  std::unordered_map<const CLI::App*, const Command*> commands_;
  std::vector<std::pair<Option*, const CLI::Option*>> options_;
};

void Parser::describe(CLI::App& app, Command& command) {
  commands_.emplace(&app, &command);
  app.require_subcommand(0, 1);
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

void Parser::count_given(const std::vector<std::string>& words) {
  for (const auto& [option, parsed] : options_) {
    option->given = parsed->count();
    option->named =
        std::any_of(words.begin(), words.end(), [&names = option->names](const std::string& word) {
          return std::find(names.begin(), names.end(), word.substr(0, word.find('='))) !=
                 names.end();
        });
  }
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

// Unknown options come first: "--polcy halving" leaves "halving" over, too, but the option is the
// word that is misspelt.
Status Parser::refuse_leftovers(std::vector<std::string> left, const Command& command) const {
  std::erase(left, "--");  // CLI11 counts the mark itself
  if (left.empty()) return {};
  const auto option = std::find_if(left.begin(), left.end(),
                                   [](const std::string& text) { return text.rfind('-', 0) == 0; });
  return fail(unexpected_word(option == left.end() ? left.front() : *option, command,
                              {program_, innermost(), recognizes_}));
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

// Options before a command that does not have them belong to the run, which does not happen.
Status check_program_options(const Command& program, const WordOrder& order) {
  if (order.command == &program) return {};
  for (const Option& option : program.options) {
    if (option.given == 0) continue;
    if (!option.named) {
      return fail(ErrorCode::invalid_input, order.early_argument,
                  "one argument too many before '" + order.command->called + "'",
                  hint_for_help(*order.command));
    }
    return fail(ErrorCode::invalid_input, option.name(),
                "is not for '" + order.command->called + "'", hint_for_help(*order.command));
  }
  return {};
}

Status check_required(const Command& command) {
  if (command.needs_command()) {
    std::string hint;
    for (const Command& sub : command.commands) {
      hint += (hint.empty() ? "'" : " or '") + sub.called + "'";
    }
    return fail(ErrorCode::invalid_input, command.called, "needs a command", "expected " + hint);
  }
  for (const Option& option : command.options) {
    if (!option.required || option.given > 0) continue;
    const bool choices = option.value.find('|') != std::string::npos;
    return fail(ErrorCode::invalid_input, option.name(), "is missing",
                (choices ? "expected " + option.value + ", " : "") + hint_for_help(command));
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

Result<CommandLine> Parser::parse(const std::vector<std::string>& arguments) {
  auto order = order_words(program_, arguments);
  if (!order) return fail(order.error());
  move_options_ahead(program_, order->words);
  try {
    // CLI11 takes the words from the last to the first.
    app_.parse(std::vector<std::string>(order->words.rbegin(), order->words.rend()));
  } catch (const CLI::CallForHelp&) {
    return CommandLine{CommandLine::Asks::help, &innermost()};
  } catch (const CLI::CallForVersion&) {
    return CommandLine{CommandLine::Asks::version, &innermost()};
  } catch (const CLI::ParseError& thrown) {
    return fail(usage_error(thrown, innermost()));
  }
  count_given(order->words);
  if (Status left = check_leftovers(); !left) return fail(left.error());
  if (Status options = check_program_options(program_, *order); !options) {
    return fail(options.error());
  }
  const Command& chosen = innermost();
  if (Status required = check_required(chosen); !required) return fail(required.error());
  return CommandLine{CommandLine::Asks::action, &chosen};
}

}  // namespace

Result<CommandLine> parse_command_line(Command& program, const std::vector<std::string>& arguments,
                                       const Recognizes& recognizes) {
  return Parser(program, recognizes).parse(arguments);
}

}  // namespace memcoord::cli
