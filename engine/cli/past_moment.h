#pragma once
// Moments in the past as people write them: --since and --until.

#include <chrono>
#include <optional>
#include <string_view>
#include <variant>

#include "engine/core/error.h"
#include "engine/core/time.h"

namespace memcoord::cli {

/// A moment that may depend on the newest one that is known.
struct PastMoment {
  /// "22:00", "22:00:30": the last such time of day, in local time.
  struct TimeOfDay {
    std::chrono::seconds since_midnight{};
    bool operator==(const TimeOfDay&) const = default;
  };
  /// A span ("8h") counts back from the newest moment.
  std::variant<Duration, TimeOfDay, WallTime> value;

  [[nodiscard]] bool is_absolute() const { return std::holds_alternative<WallTime>(value); }
  /// The moment itself, not after `newest` unless it is absolute.
  [[nodiscard]] WallTime before(WallTime newest) const;
};

/// A span as parse_age() takes it; a time of day; a date with or without a time ("2026-01-31",
/// "2026-01-31 22:00", "2026-01-31T22:00:00Z"), in local time unless it ends in Z.
/// Errors: invalid_input without an object.
Result<PastMoment> parse_past_moment(std::string_view text);

/// The part of a recording that options choose; a side without a value is open.
struct TimeSpan {
  std::optional<WallTime> since;
  std::optional<WallTime> until;
  [[nodiscard]] bool has(WallTime time) const {
    return (!since || time >= *since) && (!until || time <= *until);
  }
};
/// Both ends. A time of day or a span in `since` counts back from `until` if that is given: at
/// 23:00, 22:00 to 06:00 is the night before. Errors: invalid_input if they are the wrong way
/// round.
Result<TimeSpan> time_span(const std::optional<PastMoment>& since,
                           const std::optional<PastMoment>& until, WallTime newest);

}  // namespace memcoord::cli
