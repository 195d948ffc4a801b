#include "engine/cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace memcoord::cli {
namespace {

// Splits "-p,--policy" and "--interval,INTERVAL".
void set_names(Option& option, const std::string& names) {
  std::istringstream stream(names);
  for (std::string name; std::getline(stream, name, ',');) {
    if (name.starts_with('-')) {
      option.names.push_back(name);
    } else {
      option.argument = name;
    }
  }
}

template <class Text>
Option& add_described(Command& command, Option::Kind kind, const Text& text) {
  Option& option = command.options.emplace_back();
  option.kind = kind;
  set_names(option, text.names);
  option.description = text.description;
  option.group = text.group;
  return option;
}

Option& add_with_value(Command& command, Option::Kind kind, const OptionText& text) {
  Option& option = add_described(command, kind, text);
  option.value = text.value;
  option.required = text.required;
  option.configurable = text.configurable;
  return option;
}

Option& add_without_value(Command& command, Option::Kind kind, const FlagText& text) {
  Option& option = add_described(command, kind, text);
  option.excludes = text.excludes;
  return option;
}

// Puts the option's name before what `take` says.
TakeText under_name(std::string name, TakeText take) {
  return [name = std::move(name), take = std::move(take)](const std::string& text) -> Status {
    if (Status taken = take(text); !taken) {
      Error error = taken.error();
      error.object = error.object.empty() ? name : name + ": " + error.object;
      return fail(std::move(error));
    }
    return {};
  };
}

}  // namespace

void add_option(Command& command, const OptionText& text, TakeText take) {
  Option& option = add_with_value(command, Option::Kind::single, text);
  option.take = under_name(option.name(), std::move(take));
}

void add_repeated_option(Command& command, const OptionText& text, TakeText take) {
  Option& option = add_with_value(command, Option::Kind::repeated, text);
  option.take = under_name(option.name(), std::move(take));
}

void add_list(Command& command, const OptionText& text, TakeText take) {
  Option& option = add_with_value(command, Option::Kind::list, text);
  option.take = under_name(option.name(), std::move(take));
}

TakeText into_list(std::vector<std::string>& target) {
  return [&target](const std::string& word) -> Status {
    target.push_back(word);
    return {};
  };
}

void add_argument(Command& command, const OptionText& text, std::string& target) {
  add_with_value(command, Option::Kind::single, text).take =
      [&target](const std::string& word) -> Status {
    target = word;
    return {};
  };
}

void add_choice(Command& command, OptionText text, std::vector<std::string> choices,
                std::function<void(std::size_t)> take) {
  text.value = fmt::format("{}", fmt::join(choices, "|"));
  const auto take_word = [choices = std::move(choices),
                          take = std::move(take)](const std::string& word) -> Status {
    const auto found = std::find(choices.begin(), choices.end(), word);
    if (found == choices.end()) {
      return fail(ErrorCode::invalid_input, "", "'" + word + "' is not known",
                  fmt::format("expected {}", fmt::join(choices, ", ")));
    }
    take(static_cast<std::size_t>(found - choices.begin()));
    return {};
  };
  add_option(command, text, take_word);
}

void add_flag(Command& command, const FlagText& text, bool& target) {
  add_without_value(command, Option::Kind::flag, text).take =
      [&target](const std::string& word) -> Status {
    target = word == "true";
    return {};
  };
}

void add_flag_action(Command& command, const FlagText& text, std::function<void()> act) {
  add_without_value(command, Option::Kind::flag, text).take =
      [act = std::move(act)](const std::string& word) -> Status {
    if (word == "true") act();
    return {};
  };
}

void add_help_option(Command& command, const std::string& group) {
  add_without_value(command, Option::Kind::help, {"-h,--help", "show this help", group})
      .configurable = false;
}

void add_version_option(Command& command) {
  add_without_value(command, Option::Kind::version,
                    {"--version", "show the version", kGeneralGroup})
      .configurable = false;
}

}  // namespace memcoord::cli
