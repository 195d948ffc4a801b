#pragma once
// Options whose values are read by functions that return a Result, on top of CLI11; and CLI11's own
// complaints as errors of the house.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/error.h"

namespace memcoord::cli {

/// Carries an Error through CLI11's parser, which knows exceptions only.
class BadValue : public CLI::ParseError {
 public:
  explicit BadValue(memcoord::Error error)
      : CLI::ParseError("BadValue", error.text(), CLI::ExitCodes::ValidationError),
        error_(std::move(error)) {}
  [[nodiscard]] const memcoord::Error& error() const { return error_; }

 private:
  memcoord::Error error_;  // CLI::ParseError has an Error of its own
};

/// An option with one value, and what it is called in the help: {"--lanes", "N", "most ..."}.
struct OptionText {
  std::string names;
  std::string value;
  std::string description;
};

using TakeText = std::function<Status(const std::string&)>;

/// Hands the option's text to `take`; what is refused is reported under the option's name. Given
/// twice, the last one counts.
CLI::Option* add_option(CLI::App& app, const OptionText& text, TakeText take);
/// The same for an option that may be repeated, one value each time, in order.
CLI::Option* add_repeated_option(CLI::App& app, const OptionText& text, TakeText take);

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
/// Stores the text as it is; an empty one is refused.
template <class Target>
TakeText into_text(Target& target) {
  return [&target](const std::string& text) -> Status {
    if (text.empty()) return fail(ErrorCode::invalid_input, "", "an empty value", "name something");
    target = text;
    return {};
  };
}
/// An option whose value is one of a few words; `take` gets the index of the one that was chosen.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::vector<std::string> choices,
                        const std::string& description, std::function<void(std::size_t)> take);

/// The long names of an app's options ("--journal"), in order, hidden ones left out.
std::vector<std::string> long_names(const CLI::App& app);

/// Why the command line cannot be used, from what CLI11 threw.
Error usage_error(const CLI::ParseError& thrown, const CLI::App& app);
/// An argument that nothing takes: an unknown option with the nearest name, a word too many.
Error unexpected_argument(const std::string& argument, const CLI::App& app);
/// How the app is called from the shell: "memcoord domain set".
std::string command_name(const CLI::App& app);

}  // namespace memcoord::cli
