#include "engine/observers/tick_timeline.h"

#include <algorithm>

namespace memcoord::observers {

/// A difference between the two clocks that is more than their drift.
constexpr Duration kClockWasSet = std::chrono::seconds(2);
/// No recording lasts longer, whatever its clocks say: sums of times do not overflow.
constexpr Duration kLongest = std::chrono::hours(24 * 366 * 100);

TickTimeline::Passed TickTimeline::passed_until(const Tick& tick, bool new_run) const {
  const Duration by_wall = tick.snapshot.wall_time - wall_;
  const Duration by_run = new_run ? Duration() : tick.snapshot.taken_at - taken_at_;
  if (by_wall >= by_run - kClockWasSet) return {std::max(by_wall, Duration()), {}};
  return {by_run, by_run - by_wall};
}

TickTimeline::Step TickTimeline::next(const Tick& tick) {
  const Snapshot& snapshot = tick.snapshot;
  // A tick whose sample failed may have no time of its own.
  if (snapshot.wall_time == WallTime()) return {.at = at_};
  const bool new_run = tick.number < number_ || snapshot.taken_at < taken_at_;
  Step step;
  if (!began_) {
    began_ = true;
    start_ = snapshot.wall_time;
  } else {
    Passed passed = passed_until(tick, new_run);
    passed.time = std::min(passed.time, kLongest - at_);
    step.went_back = passed.went_back;
    const Duration usual = usual_.value_or(new_run ? Duration() : passed.time);
    step.gap = passed.time > kLeastGap && passed.time > usual * kUsualTicks;
    (step.gap ? step.gap_lasted : step.passed) = passed.time;
    at_ += passed.time;
    // Follows a longer interval at once, and a shorter one within some ticks.
    if (!step.gap && !new_run) {
      usual_ = std::max(passed.time, usual_.value_or(Duration()) * 9 / 10);
    }
  }
  step.at = at_;
  wall_ = snapshot.wall_time;
  taken_at_ = snapshot.taken_at;
  number_ = tick.number;
  return step;
}

}  // namespace memcoord::observers
