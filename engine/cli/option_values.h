#pragma once
// The values that options take, read from text: each either understood or refused with the form
// that was expected.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"

namespace memcoord::cli {

// Errors of all of these: invalid_input, without an object; the caller knows the option's name.

/// A time: "2", "0.5" (seconds), "500ms", "2s", "1m", "1h". More than zero, at most a day.
Result<Duration> parse_duration(std::string_view text);
/// A share, more than 0 and at most 1: "50%", "0.5".
Result<double> parse_share(std::string_view text);
/// A number over 0: "1.5", "150%".
Result<double> parse_ratio(std::string_view text);
/// A whole number within bounds, both included.
struct Bounds {
  std::int64_t least;
  std::int64_t most;
};
Result<std::int64_t> parse_whole_number(std::string_view text, Bounds bounds);
/// A number over 0 and finite.
Result<double> parse_weight(std::string_view text);
/// A size over zero.
Result<MemorySize> parse_size(std::string_view text);
/// "name=value", split at the first "="; the name is not empty.
Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text);

}  // namespace memcoord::cli
