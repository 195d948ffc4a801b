#include "engine/cli/past_moment.h"

#include <array>
#include <ctime>
#include <string>

#include "engine/cli/command.h"

namespace memcoord::cli {
namespace {

using std::chrono::seconds;

constexpr const char* kForms =
    "expected a time of day (22:00), a date and time (2026-01-31 22:00) or a span (8h, 7d)";

/// The text without the date at its start, and the date's fields; nothing without a date.
std::optional<std::string_view> read_date(std::string_view text, std::tm& parts) {
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%Y-%m-%d", &parts);
  if (end == nullptr) return std::nullopt;
  std::tm known = parts;  // timegm() makes 31 February a day of March
  (void)timegm(&known);
  if (known.tm_mday != parts.tm_mday) return std::nullopt;
  return text.substr(static_cast<std::size_t>(end - copy.c_str()));
}

/// "22:00" or "22:00:30"; the hour has one digit or two, the others have two.
std::optional<seconds> read_time_of_day(std::string_view text) {
  std::array<int, 3> fields{};
  std::size_t field = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9' && digits < 2) {
      fields.at(field) = fields.at(field) * 10 + (c - '0');
      ++digits;
    } else if (c == ':' && digits > 0 && field < 2 && (field == 0 || digits == 2)) {
      ++field;
      digits = 0;
    } else {
      return std::nullopt;
    }
  }
  const bool whole = field > 0 && digits == 2;
  if (!whole || fields[0] > 23 || fields[1] > 59 || fields[2] > 59) return std::nullopt;
  return seconds(fields[0] * 3600 + fields[1] * 60 + fields[2]);
}

/// A local day and a time within it; another day where `days` is not 0.
WallTime local_moment(std::tm day, seconds since_midnight, int days = 0) {
  const auto whole = static_cast<int>(since_midnight.count());
  day.tm_hour = whole / 3600;
  day.tm_min = whole / 60 % 60;
  day.tm_sec = whole % 60;
  day.tm_mday += days;
  day.tm_isdst = -1;
  return WallTime(seconds(std::mktime(&day)));
}

std::optional<WallTime> read_date_and_time(std::string_view text) {
  std::tm day{};
  auto rest = read_date(text, day);
  if (!rest) return std::nullopt;
  if (rest->empty()) return local_moment(day, seconds(0));
  if (rest->front() != ' ' && rest->front() != 'T') return std::nullopt;
  rest->remove_prefix(1);
  const bool utc = rest->ends_with('Z');
  if (utc) rest->remove_suffix(1);
  const auto time = read_time_of_day(*rest);
  if (!time) return std::nullopt;
  return utc ? WallTime(seconds(timegm(&day)) + *time) : local_moment(day, *time);
}

}  // namespace

WallTime PastMoment::before(WallTime newest) const {
  if (const auto* moment = std::get_if<WallTime>(&value)) return *moment;
  if (const auto* span = std::get_if<Duration>(&value)) {
    return newest - std::chrono::floor<WallTime::duration>(*span);
  }
  const std::time_t stamp = std::chrono::floor<seconds>(newest).time_since_epoch().count();
  std::tm day{};
  localtime_r(&stamp, &day);
  const seconds time = std::get<TimeOfDay>(value).since_midnight;
  const WallTime today = local_moment(day, time);
  return today <= newest ? today : local_moment(day, time, -1);
}

Result<PastMoment> parse_past_moment(std::string_view text) {
  if (const auto time = read_time_of_day(text)) return PastMoment{PastMoment::TimeOfDay{*time}};
  if (const auto moment = read_date_and_time(text)) return PastMoment{*moment};
  const auto span = parse_age(text);
  if (span) return PastMoment{*span};
  // A span that is too long or negative is one all the same.
  if (!span.error().message.ends_with("is not a time")) return fail(span.error());
  return fail(span.error().code, "", span.error().message, kForms);
}

Result<TimeSpan> time_span(const std::optional<PastMoment>& since,
                           const std::optional<PastMoment>& until, WallTime newest) {
  TimeSpan span;
  if (until) span.until = until->before(newest);
  if (since) span.since = since->before(span.until.value_or(newest));
  if (span.since && span.until && *span.since > *span.until) {
    return fail(ErrorCode::invalid_input, "--since", "is after --until");
  }
  return span;
}

}  // namespace memcoord::cli
