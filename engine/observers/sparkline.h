#pragma once
// Figures as bars, one character high.

#include <cstddef>
#include <span>
#include <string>

namespace memcoord::observers {

/// One character a value, the newest last, scaled from 0 to `top` (to the largest value where that
/// is 0): eighths of a block, or with `unicode` off the characters "_.-~=+*#". Values that are not
/// numbers stand as blanks.
std::string sparkline(std::span<const double> values, double top, bool unicode);

/// What a bar is made of: parts of a whole, all in one unit.
struct BarParts {
  double used = 0;
  double spare = 0;
  double whole = 0;  ///< what would fill the bar
};

/// A bar of `width` columns, in its three parts: used ("█", "#"), spare ("░", "-") and the rest
/// ("·", "."). A part that is there at all gets a column where there is room.
struct Bar {
  std::string used;
  std::string spare;
  std::string rest;
};
Bar bar(const BarParts& parts, std::size_t width, bool unicode);

}  // namespace memcoord::observers
