#pragma once
// A row of figures as a row of small bars.

#include <span>
#include <string>

namespace memcoord::observers {

/// One character a value, the newest last, scaled from 0 to `top` (to the largest value where that
/// is 0): eighths of a block, or with `unicode` off the characters " .:-=+*#". Values that are not
/// numbers stand as blanks.
std::string sparkline(std::span<const double> values, double top, bool unicode);

}  // namespace memcoord::observers
