#include "engine/observers/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace memcoord::observers {

std::string sparkline(std::span<const double> values, double top, bool unicode) {
  static constexpr std::array<const char*, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 8> kPlain{".", ":", "-", "=", "+", "*", "#", "@"};
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

}  // namespace memcoord::observers
