#include "engine/cli/option_values.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace memcoord::cli {
namespace {

constexpr auto kBad = ErrorCode::invalid_input;

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  const bool cut = text.size() > kShown;
  return "'" + std::string(text.substr(0, kShown)) + (cut ? "...'" : "'");
}

// A finite number at the start of the text and what follows it.
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
  return std::nullopt;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  constexpr double kLongest = 24.0 * 3600.0;
  constexpr double kShortest = 0.001;
  const auto number = leading_number(text);
  const auto unit = number ? seconds_in(number->rest) : std::nullopt;
  if (!unit) {
    return fail(kBad, "", quoted(text) + " is not a time",
                "expected seconds or a unit, such as 2, 0.5, 500ms, 2s or 1m");
  }
  const double seconds = number->number * *unit;
  if (seconds <= 0) {
    return fail(kBad, "", quoted(text) + " is not more than zero",
                "expected a time such as 2, 0.5, 500ms, 2s or 1m");
  }
  if (seconds < kShortest) return fail(kBad, "", quoted(text) + " is too short", "at least 1ms");
  if (seconds > kLongest) return fail(kBad, "", quoted(text) + " is too long", "at most 24h");
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

Result<double> parse_share(std::string_view text) {
  const auto number = leading_number(text);
  const bool percent = number && number->rest == "%";
  if (!number || (!number->rest.empty() && !percent)) {
    return fail(kBad, "", quoted(text) + " is not a share", "expected one such as 50% or 0.5");
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
    return fail(kBad, "", quoted(text) + " is not a ratio", "expected one such as 1.5 or 150%");
  }
  return ratio;
}

Result<std::int64_t> parse_whole_number(std::string_view text, Bounds bounds) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = code == std::errc() && end == text.data() + text.size() && !text.empty();
  if (whole && number >= bounds.least && number <= bounds.most) return number;
  if (whole && number < bounds.least) {
    return fail(kBad, "", quoted(text) + " is too small",
                "expected a whole number of at least " + std::to_string(bounds.least));
  }
  if (whole || code == std::errc::result_out_of_range) {
    return fail(kBad, "", quoted(text) + " is too large",
                "expected a whole number of at most " + std::to_string(bounds.most));
  }
  return fail(kBad, "", quoted(text) + " is not a whole number",
              "expected one of at least " + std::to_string(bounds.least));
}

Result<double> parse_weight(std::string_view text) {
  const auto number = leading_number(text);
  if (number && number->rest.empty() && number->number > 0) return number->number;
  return fail(kBad, "", quoted(text) + " is not a weight", "expected a number over 0, such as 1.5");
}

Result<MemorySize> parse_size(std::string_view text) {
  auto size = MemorySize::parse(text);
  if (!size) {
    // The size's own error names the text; here it becomes part of the option's.
    const Error& error = size.error();
    const std::string message = error.object.empty() || error.message.find(text) < std::string::npos
                                    ? error.message
                                    : quoted(text) + ": " + error.message;
    return fail(kBad, "", message,
                error.hint.empty() ? "expected a size such as 512MiB or 1.5GiB" : error.hint);
  }
  if (size->is_zero()) {
    return fail(kBad, "", quoted(text) + " is zero", "expected a size such as 512MiB or 1.5GiB");
  }
  return size;
}

Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(kBad, "", quoted(text) + " is not name=value", "such as starved_below=200MiB");
  }
  return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

}  // namespace memcoord::cli
