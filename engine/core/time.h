#pragma once
// The times of the house, and the one seam to the clock.

#include <algorithm>
#include <chrono>

namespace memcoord {

/// Never goes back; what rates and deadlines are counted in. A simulated host counts its own.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;
/// Civil time, UTC; what guests' reports and the journal are stamped with.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::microseconds;

/// From tick to tick where nobody says otherwise, on real hosts and simulated ones: guests report
/// no oftener.
inline constexpr Duration kDefaultInterval = std::chrono::seconds(1);

/// How often guests are to report for ticks so far apart: several times a tick where that can be,
/// so that a move is seen to have arrived by the next one.
constexpr std::chrono::seconds statistics_period(Duration interval) {
  using std::chrono::seconds;
  return std::clamp(std::chrono::duration_cast<seconds>(interval / 4), seconds(1), seconds(10));
}
/// Whether guests that report once in a period are seen too late by ticks so far apart.
constexpr bool is_too_long(Duration period, Duration interval) {
  return period > interval && period > statistics_period(interval);
}

/// The clock that the loop lives by: the machine's, or the virtual one of a simulated host.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonotonicTime now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  /// Waits; returns false where it was cut short (the program is asked to end or to reload).
  virtual bool sleep_for(Duration duration) = 0;
  /// Waits the whole time, also where the program is asked to end meanwhile. A clock whose
  /// sleep_for() nothing cuts short needs no other.
  virtual void sleep_through(Duration duration) { (void)sleep_for(duration); }
};

}  // namespace memcoord
