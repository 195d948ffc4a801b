#include "engine/observers/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace memcoord::observers {
namespace {

std::string repeated(const char* glyph, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += glyph;
  return out;
}

/// A part's columns: rounded, but one where the part is there at all.
std::size_t columns_of(double part, double whole, std::size_t width) {
  if (!(part > 0) || !(whole > 0)) return 0;
  const double columns = std::clamp(part / whole, 0.0, 1.0) * static_cast<double>(width);
  return static_cast<std::size_t>(std::max(std::lround(columns), 1L));
}

}  // namespace

std::string sparkline(std::span<const double> values, double top, bool unicode) {
  static constexpr std::array<const char*, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 8> kPlain{"_", ".", "-", "~", "=", "+", "*", "#"};
  if (top <= 0) {
    for (const double value : values) {
      if (!std::isnan(value)) top = std::max(top, value);
    }
  }
  std::string line;
  for (const double value : values) {
    if (std::isnan(value)) {
      line += ' ';
      continue;
    }
    const double part = top > 0 ? std::clamp(value / top, 0.0, 1.0) : 0;
    const auto bar = static_cast<std::size_t>(std::lround(part * 7));
    line += unicode ? kBars.at(bar) : kPlain.at(bar);
  }
  return line;
}

Bar bar(const BarParts& parts, std::size_t width, bool unicode) {
  const std::size_t used = std::min(columns_of(parts.used, parts.whole, width), width);
  const std::size_t spare = std::min(columns_of(parts.spare, parts.whole, width), width - used);
  return {repeated(unicode ? "█" : "#", used), repeated(unicode ? "░" : "-", spare),
          repeated(unicode ? "·" : ".", width - used - spare)};
}

}  // namespace memcoord::observers
