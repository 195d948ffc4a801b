#pragma once
// Adds options to a command. Functions that return a Result read their values.

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/cli/command.h"
#include "engine/core/error.h"

namespace memcoord::cli {

inline constexpr const char* kGeneralGroup = "General";

/// An option with a value, and what it is called in the help: {"--lanes", "N", "most ..."}.
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

/// Hands the option's text to `take`; what is refused is reported under the option's name. Given
/// twice, the last one counts.
void add_option(Command& command, const OptionText& text, TakeText take);
/// The same for an option that may be repeated, one value each time, in order.
void add_repeated_option(Command& command, const OptionText& text, TakeText take);
/// The same for every word that follows the option, or that stands in the argument's place.
void add_list(Command& command, const OptionText& text, TakeText take);
/// Stores one word as it is, which may be empty. `target` outlives the command, here as below.
void add_argument(Command& command, const OptionText& text, std::string& target);
/// An option whose value is one of a few words; `take` gets the index of the one that was chosen.
/// In the help and to completion the words are the value's name, "auto|always|never".
void add_choice(Command& command, OptionText text, std::vector<std::string> choices,
                std::function<void(std::size_t)> take);
void add_flag(Command& command, const FlagText& text, bool& target);
/// Calls `act` where the flag is given.
void add_flag_action(Command& command, const FlagText& text, std::function<void()> act);
void add_help_option(Command& command, const std::string& group = "Options");
void add_version_option(Command& command);

/// Parses with `parse` and stores in `target` (a T or an optional<T>).
template <class Target, class Parse>
TakeText into(Target& target, Parse parse) {
  return [&target, parse = std::move(parse)](const std::string& text) -> Status {
    auto value = parse(text);
    if (!value) return fail(value.error());
    target = static_cast<Target>(*std::move(value));
    return {};
  };
}
/// Appends the text as it is.
TakeText into_list(std::vector<std::string>& target);
/// Stores the text as it is; an empty one is refused.
template <class Target>
TakeText into_text(Target& target) {
  return [&target](const std::string& text) -> Status {
    if (text.empty()) return fail(ErrorCode::invalid_input, "", "an empty value", "name something");
    target = text;
    return {};
  };
}

}  // namespace memcoord::cli
