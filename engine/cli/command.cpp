#include "engine/cli/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <sstream>
#include <utility>

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

// Names the option in the errors of `take`.
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

constexpr auto kBad = ErrorCode::invalid_input;
constexpr const char* kSizes = "expected a size such as 512MiB or 1.5GiB";

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  const bool cut = text.size() > kShown;
  return "'" + std::string(text.substr(0, kShown)) + (cut ? "...'" : "'");
}

// A finite number at the start of a text, and the text after it.
struct NumberAndRest {
  double number;
  std::string_view rest;
};
std::optional<NumberAndRest> leading_number(std::string_view text) {
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || !std::isfinite(number)) return std::nullopt;
  return NumberAndRest{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

std::optional<double> seconds_in(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1.0;
  if (unit == "ms") return 0.001;
  if (unit == "m" || unit == "min") return 60.0;
  if (unit == "h") return 3600.0;
  if (unit == "d") return 86400.0;
  return std::nullopt;
}

/// The times that an option accepts.
struct TimeRange {
  double longest;  ///< in seconds
  const char* longest_text;
  const char* examples;
  bool days;  ///< whether the unit d is accepted
};

Result<Duration> parse_time(std::string_view text, const TimeRange& range) {
  constexpr double kShortest = 0.001;
  const auto number = leading_number(text);
  const auto unit =
      number && (range.days || number->rest != "d") ? seconds_in(number->rest) : std::nullopt;
  if (!unit) {
    return fail(
        kBad, "", quoted(text) + " is not a time",
        fmt::format("expected seconds, or a number with its unit, such as {}", range.examples));
  }
  const double seconds = number->number * *unit;
  if (seconds <= 0) {
    return fail(kBad, "", quoted(text) + " is not more than zero",
                fmt::format("expected a time such as {}", range.examples));
  }
  if (seconds < kShortest) {
    return fail(kBad, "", quoted(text) + " is too short", "the shortest is 1ms");
  }
  if (seconds > range.longest) {
    return fail(kBad, "", quoted(text) + " is too long",
                fmt::format("the longest is {}", range.longest_text));
  }
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

ExitCode exit_code_for(const Error& error) {
  const bool input = error.code == ErrorCode::invalid_input || error.code == ErrorCode::not_found ||
                     error.code == ErrorCode::unsupported;
  return input ? ExitCode::bad_usage : ExitCode::failed;
}

std::string Option::name() const {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [](const std::string& one) { return one.starts_with("--"); });
  if (found != names.end()) return *found;
  return names.empty() ? argument : names.front();
}

Command::Command(std::string its_name, std::string its_description)
    : name(std::move(its_name)), called(name), description(std::move(its_description)) {}

Command& Command::add(const std::string& its_name, std::string its_description, Action its_action) {
  Command& command = commands.emplace_back(its_name, std::move(its_description));
  command.called = called + " " + its_name;
  command.action = std::move(its_action);
  add_help_option(command);
  return command;
}

const Command* Command::find(const std::string& its_name) const {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const Command& one) { return one.name == its_name; });
  return found == commands.end() ? nullptr : &*found;
}

std::vector<std::string> Command::long_names() const {
  std::vector<std::string> result;
  for (const Option& option : options) {
    std::copy_if(option.names.begin(), option.names.end(), std::back_inserter(result),
                 [](const std::string& one) { return one.starts_with("--"); });
  }
  return result;
}

std::vector<std::string> Command::groups() const {
  std::vector<std::string> result;
  for (const Option& option : options) {
    if (std::find(result.begin(), result.end(), option.group) == result.end()) {
      result.push_back(option.group);
    }
  }
  return result;
}

std::vector<const Option*> Command::arguments() const {
  std::vector<const Option*> result;
  for (const Option& option : options) {
    if (!option.argument.empty()) result.push_back(&option);
  }
  return result;
}

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
    if (word.empty()) return fail(ErrorCode::invalid_input, "", "the value is empty");
    target.push_back(word);
    return {};
  };
}

void add_argument(Command& command, const OptionText& text, std::string& target) {
  Option& option = add_with_value(command, Option::Kind::single, text);
  option.take = under_name(option.argument, into_text(target));
}

void add_choice(Command& command, OptionText text, std::vector<std::string> choices,
                std::function<void(std::size_t)> take) {
  text.value = fmt::format("{}", fmt::join(choices, "|"));
  const auto take_word = [choices = std::move(choices),
                          take = std::move(take)](const std::string& word) -> Status {
    const auto found = std::find(choices.begin(), choices.end(), word);
    if (found == choices.end()) {
      return fail(ErrorCode::invalid_input, "", "'" + word + "' is not a choice",
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
  add_without_value(command, Option::Kind::help, {"-h,--help", "print this help", group})
      .configurable = false;
}

void add_version_option(Command& command) {
  add_without_value(
      command, Option::Kind::version,
      {"-V,--version", "print the versions of memcoord, libvirt and Lua", kGeneralGroup})
      .configurable = false;
}

Result<Duration> parse_duration(std::string_view text) {
  return parse_time(text, {24 * 3600.0, "24h", "2, 0.5, 500ms, 2s or 1m", false});
}

Result<Duration> parse_min_interval(std::string_view text) {
  const auto number = leading_number(text);
  constexpr const char* kExamples = "0.2, 200ms or 1s, or 0 for no early ticks";
  if (number && seconds_in(number->rest)) {
    if (number->number == 0) return Duration();
    if (number->number < 0) {
      return fail(kBad, "", quoted(text) + " is less than zero",
                  fmt::format("expected a time such as {}", kExamples));
    }
  }
  return parse_time(text, {24 * 3600.0, "24h", kExamples, false});
}

Result<Duration> parse_age(std::string_view text) {
  return parse_time(text, {366 * 86400.0, "366d", "90, 30m, 8h or 7d", true});
}

Result<double> parse_share(std::string_view text) {
  const auto number = leading_number(text);
  const bool percent = number && number->rest == "%";
  if (!number || (!number->rest.empty() && !percent)) {
    return fail(kBad, "", quoted(text) + " is not a share", "expected a share such as 50% or 0.5");
  }
  const double share = percent ? number->number / 100.0 : number->number;
  if (!(share > 0) || share > 1) {
    return fail(kBad, "", quoted(text) + " is not between 0 and 100 %",
                "expected a share such as 50% or 0.5");
  }
  return share;
}

Result<double> parse_ratio(std::string_view text) {
  const auto number = leading_number(text);
  const bool percent = number && number->rest == "%";
  const double ratio = number ? (percent ? number->number / 100.0 : number->number) : 0;
  if (!number || (!number->rest.empty() && !percent) || !(ratio > 0)) {
    return fail(kBad, "", quoted(text) + " is not a ratio", "expected a ratio such as 1.5 or 150%");
  }
  return ratio;
}

Result<std::int64_t> parse_whole_number(std::string_view text, Bounds bounds) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = code == std::errc() && end == text.data() + text.size() && !text.empty();
  if (whole && number >= bounds.min && number <= bounds.max) return number;
  if (whole && number < bounds.min) {
    return fail(kBad, "", quoted(text) + " is too small",
                "expected a whole number of at least " + std::to_string(bounds.min));
  }
  if (whole || code == std::errc::result_out_of_range) {
    return fail(kBad, "", quoted(text) + " is too large",
                "expected a whole number of at most " + std::to_string(bounds.max));
  }
  const bool small = bounds.max <= 1'000'000;
  return fail(
      kBad, "", quoted(text) + " is not a whole number",
      "expected a whole number " + (small ? fmt::format("from {} to {}", bounds.min, bounds.max)
                                          : fmt::format("of at least {}", bounds.min)));
}

Result<double> parse_weight(std::string_view text) {
  const auto number = leading_number(text);
  if (number && number->rest.empty() && number->number > 0) return number->number;
  return fail(kBad, "", quoted(text) + " is not a weight", "expected a number over 0, such as 1.5");
}

Result<MemorySize> parse_size(std::string_view text) {
  auto size = MemorySize::parse_with_unit(text);
  if (size && size->is_zero()) return fail(kBad, "", quoted(text) + " is zero", kSizes);
  return size;
}

Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(kBad, "", quoted(text) + " is not name=value",
                "expected an assignment such as starved_below=200MiB");
  }
  return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

}  // namespace memcoord::cli
