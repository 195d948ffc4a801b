#include "engine/observers/amounts.h"

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

namespace memcoord::observers {

std::string duration_text(Duration duration) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits{
      {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 120) return fmt::format("{} s", seconds);
  std::size_t unit = 0;
  while (seconds < kUnits.at(unit).first) ++unit;
  const auto [size, name] = kUnits.at(unit);
  const auto [smaller, smaller_name] = kUnits.at(unit + 1);
  std::string text = fmt::format("{} {}", seconds / size, name);
  const std::int64_t rest = seconds % size / smaller;
  if (rest > 0) text += fmt::format(" {} {}", rest, smaller_name);
  return text;
}

std::string set_time_text(Duration time) {
  return time < std::chrono::seconds(120) ? fmt::format("{:g} s", seconds_of(time))
                                          : duration_text(time);
}

std::string counted(std::uint64_t n, std::string_view one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

}  // namespace memcoord::observers
