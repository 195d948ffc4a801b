#pragma once
// When the next tick is due: at the interval's calm rhythm, or earlier where the policy or the
// engine asks for it and a budget allows it. Shared by the run's loop and the simulation's.

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/core/history.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"

namespace memcoord {

/// How soon after this tick the engine itself wants the next one; zero: as soon as possible. None:
/// the interval is soon enough, as for calm movements of shares. Call it after the tick's moves,
/// with the history that knows them. The engine asks
///  - while a rescue of the host is under way;
///  - while the balloon of a domain that is short still grows, or its guest has not reported since,
///    for at most three seconds after the move;
///  - while a domain that is short, or a reserve, waits for memory that shrinks under way release.
/// A domain is short while it reports less headroom than its floor.
std::optional<Duration> wish_of_engine(const Tick& tick, const History& history);

/// The rhythm of a loop. Tick n of the calm rhythm is due n intervals after the start, however long
/// ticks take; a tick that overruns skips the ticks that became due meanwhile. After an early tick,
/// the calm rhythm counts from it.
///
/// Early ticks have a budget. kMostEarly of them may follow each other at once; from then on one is
/// granted every interval, or every second where that is less. Sampling and deciding take at most a
/// tenth of the time between early ticks.
class TickRhythm {
 public:
  static constexpr double kMostEarly = 300;
  static constexpr int kCostShare =
      10;  ///< of the time between early ticks, one part is their cost

  /// `min_interval`: the least time between the starts of ticks. Zero, or no less than the
  /// interval: there are no early ticks.
  TickRhythm(Duration interval, Duration min_interval, MonotonicTime first)
      : interval_(interval), min_interval_(min_interval), due_(first), refilled_at_(first) {}

  struct Next {
    MonotonicTime due;
    bool early = false;
    std::uint64_t skipped = 0;  ///< ticks of the calm rhythm that were missed
    /// Set once each time that the budget is used up, for a note.
    bool budget_ends = false;
  };
  /// The next tick, after `tick`, which began at `began`.
  Next next(const Tick& tick, MonotonicTime began, MonotonicTime now);
  /// A request wants the next tick soon: as early ticks come, and out of their budget. `began` is
  /// the start of the last tick; none before the first.
  void bring_forward(std::optional<MonotonicTime> began, MonotonicTime now);
  /// The first tick, then the one that next() or bring_forward() chose.
  [[nodiscard]] MonotonicTime due() const { return due_; }

 private:
  [[nodiscard]] std::optional<MonotonicTime> wanted(const Tick& tick, MonotonicTime began,
                                                    MonotonicTime now) const;
  /// The time between early ticks once the budget is used up.
  [[nodiscard]] Duration granted_every() const {
    return std::min<Duration>(interval_, std::chrono::seconds(1));
  }
  [[nodiscard]] bool is_off() const {
    return min_interval_ <= Duration() || min_interval_ >= interval_;
  }
  void refill(MonotonicTime now);

  Duration interval_;
  Duration min_interval_;
  MonotonicTime due_;
  MonotonicTime refilled_at_;
  double budget_ = kMostEarly;
  bool ended_ = false;
};

/// The note for a budget that ends.
Note budget_note(const Tick& tick);

}  // namespace memcoord
