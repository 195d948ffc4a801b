// The errors for words of a command line that do not fit, with the words that were meant.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

#include "engine/cli/usage.h"
#include "engine/core/names.h"

namespace memcoord::cli {
namespace {

std::string did_you_mean(const std::string& words) {
  return "did you mean " + words + "?";
}

/// Without the dashes at its beginning, also those that word processors make of "--".
std::string_view without_dashes(std::string_view word) {
  for (const std::string_view dash : {"-", "\u2013", "\u2014"}) {
    while (word.starts_with(dash)) word.remove_prefix(dash.size());
  }
  return word;
}

bool has_unit(const std::string& word) {
  return !word.empty() && std::isalpha(static_cast<unsigned char>(word.back())) != 0;
}

/// Whether a word can be the option's value, and was probably meant so.
bool is_likely_value(const Option& option, const std::string& word, const Recognizes& recognizes) {
  if (!option.takes_value() || option.names.empty()) return false;
  if (option.value == "TIME") return has_unit(word) && parse_duration(word);
  if (option.value == "NAME=VALUE") return parse_assignment(word).has_value();
  if (option.value == "URI")
    return word.find("://") != std::string::npos || word.starts_with("sim:");
  return recognizes && recognizes(option, word);
}

/// Whether an option of one command can be meant for the other: the other is below it, has the same
/// parent ("domain show" and "domain set"), or queries and changes a run, too.
bool are_related(const Command& command, const Command& other) {
  if (other.called.starts_with(command.called + " ")) return true;
  const auto parent = [](const Command& one) {
    return one.called.substr(0, one.called.size() - one.name.size());
  };
  const bool in_group = std::ranges::count(command.called, ' ') > 1;
  if (in_group && parent(command) == parent(other)) return true;
  return own_option(command, "--control") != nullptr && own_option(other, "--control") != nullptr;
}

/// Adds the related commands, at `other` or below, that have the option.
void add_related_with(const std::string& name, const Command& command, const Command& other,
                      std::vector<const Command*>& found) {
  if (own_option(other, name) != nullptr && are_related(command, other)) found.push_back(&other);
  for (const Command& sub : other.commands) add_related_with(name, command, sub, found);
}

/// The option that differs in case only: "-v" means "-V".
std::optional<std::string> in_other_case(const std::string& name, const Command& command) {
  if (name.size() != 2) return std::nullopt;
  for (const Option& option : command.options) {
    for (const std::string& one : option.names) {
      const bool alike = one.size() == 2 && std::tolower(static_cast<unsigned char>(one[1])) ==
                                                std::tolower(static_cast<unsigned char>(name[1]));
      if (alike) return one;
    }
  }
  return std::nullopt;
}

std::string hint_for_option(const std::string& name, const Command& command,
                            const Command& program) {
  if (const auto other = in_other_case(name, command)) return did_you_mean(*other);
  const std::vector<std::string> names = command.long_names();
  if (const auto nearest = suggest_name(name, names)) return did_you_mean(*nearest);
  std::vector<std::string> longer;
  std::copy_if(names.begin(), names.end(), std::back_inserter(longer),
               [&](const std::string& one) { return name.size() > 2 && one.starts_with(name); });
  if (!longer.empty()) return did_you_mean(fmt::format("{}", fmt::join(longer, " or ")));
  std::vector<const Command*> related;
  add_related_with(name, command, program, related);
  return related.size() == 1 ? "it is an option of '" + related.front()->called + "'"
                             : hint_for_help(command);
}

std::vector<std::string> names_of(const std::list<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  return names;
}

}  // namespace

std::string hint_for_help(const Command& command) {
  return "see '" + command.called + " --help'";
}

std::optional<std::string> misplaced_hint(const std::string& word, const Command& command,
                                          const Recognizes& recognizes) {
  const std::vector<std::string> names = command.long_names();
  const std::string as_option = "--" + std::string(without_dashes(word));
  if (std::find(names.begin(), names.end(), as_option) != names.end()) {
    return did_you_mean(as_option);
  }
  constexpr std::array<std::string_view, 6> kYesOrNo{"yes", "no", "true", "false", "on", "off"};
  if (std::find(kYesOrNo.begin(), kYesOrNo.end(), word) != kYesOrNo.end()) {
    return "an option without a value stands alone; --OPTION=false turns it off";
  }
  for (const Option& option : command.options) {
    if (is_likely_value(option, word, recognizes)) return did_you_mean(option.name() + " " + word);
  }
  return std::nullopt;
}

std::optional<Error> neither_command_nor_time(const std::string& word, const Command& program,
                                              const Recognizes& recognizes) {
  if (parse_duration(word)) return std::nullopt;
  const std::size_t equals = word.find('=');  // "dry-run=on"
  const Command* assigned = program.find(word.substr(0, equals));
  auto hint = assigned != nullptr && equals != std::string::npos
                  ? did_you_mean(assigned->name + " " + word.substr(equals + 1))
                  : misplaced_hint(word, program, recognizes);
  const bool is_number = word.find_first_of("0123456789") <= word.find_first_not_of("+-.");
  if (!hint && is_number) return std::nullopt;
  return Error{ErrorCode::invalid_input, word, "is neither a command nor an interval",
               std::move(hint).value_or(unknown_command(word, program).hint), ""};
}

Error unknown_command(const std::string& word, const Command& command) {
  const std::vector<std::string> names = names_of(command.commands);
  const auto nearest = suggest_name(word, names);
  std::string hint = nearest            ? did_you_mean(*nearest)
                     : names.size() < 4 ? fmt::format("expected {}", fmt::join(names, " or "))
                                        : hint_for_help(command);
  return {ErrorCode::invalid_input, word, "no such command", std::move(hint), ""};
}

Error not_for(const Option& option, const Command& command) {
  return {ErrorCode::invalid_input, option.name(), "is not for '" + command.called + "'",
          hint_for_help(command), ""};
}

Error unexpected_word(const std::string& word, const Command& command, const WordContext& context) {
  if (word.size() > 1 && word.front() == '-') {
    const std::string name = word.substr(0, word.find('='));
    const Option* of_run = own_option(context.program, option_name(word));
    if (of_run != nullptr && &command != &context.program) {
      if (own_option(command, of_run->name()) == nullptr) return not_for(*of_run, command);
      return {ErrorCode::invalid_input, name, "no such option", did_you_mean(of_run->name()), ""};
    }
    return {ErrorCode::invalid_input, name, "no such option",
            hint_for_option(name, command, context.program), ""};
  }
  if (&command == &context.chosen && command.needs_command()) return unknown_command(word, command);
  return {ErrorCode::invalid_input, word, "one argument too many",
          misplaced_hint(word, command, context.recognizes).value_or(hint_for_help(command)), ""};
}

}  // namespace memcoord::cli
