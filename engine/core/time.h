#pragma once
// Types of time, and the interface to the clock.

#include <algorithm>
#include <chrono>

namespace memcoord {

/// Time that never goes back, for rates and deadlines. A simulated host has its own.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;
/// Civil time in UTC, for the stamps of guests' reports and of the journal.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::microseconds;

template <class Rep, class Period>
constexpr double seconds_of(std::chrono::duration<Rep, Period> duration) {
  return std::chrono::duration<double>(duration).count();
}

/// A second, less what the loop may be early by: ticks at least this far apart are not early ones.
inline constexpr Duration kAboutASecond = std::chrono::milliseconds(900);

/// The default time from tick to tick, on real hosts and simulated ones. Guests report at most this
/// often.
inline constexpr Duration kDefaultInterval = std::chrono::seconds(1);

/// The default of the least time between two ticks, where the policy or the engine asks for the
/// next one early.
inline constexpr Duration kDefaultMinInterval = std::chrono::milliseconds(200);

/// The reporting period that suits an interval between ticks: several reports a tick if possible,
/// so that the next tick sees whether a move has arrived.
constexpr std::chrono::seconds statistics_period(Duration interval) {
  using std::chrono::seconds;
  return std::clamp(std::chrono::duration_cast<seconds>(interval / 4), seconds(1), seconds(10));
}

/// The loop's clock: the machine's, or the virtual one of a simulated host.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonotonicTime now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  /// Waits. Returns false if a signal cut the wait short: the program is to end or to reload.
  virtual bool sleep_for(Duration duration) = 0;
  /// Waits the whole time, even if the program is asked to end. The default suits a clock whose
  /// sleep_for() is never cut short.
  virtual void sleep_through(Duration duration) { (void)sleep_for(duration); }
};

}  // namespace memcoord
