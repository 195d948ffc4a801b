#pragma once
// Recorded ticks on one axis of time, although runs end and begin, hosts sleep and clocks are set.

#include <cstdint>
#include <optional>

#include "engine/core/tick.h"

namespace memcoord::observers {

/// Places ticks, which it gets in order, on an axis that never goes back. It begins at the first
/// tick and follows the wall clock. When the wall clock goes back within a run, the axis goes on by
/// the monotonic clock; when it goes back from run to run, the axis stands still.
class TickTimeline {
 public:
  /// A time without ticks is a gap if it is longer than this and than kUsualTicks usual intervals.
  static constexpr Duration kLeastGap = std::chrono::seconds(10);
  static constexpr int kUsualTicks = 5;

  struct Step {
    Duration at{};      ///< since the first tick
    Duration passed{};  ///< since the tick before; zero for the first, and after a gap
    bool gap = false;   ///< nothing was recorded before this tick
    Duration gap_lasted{};
    Duration went_back{};  ///< what the wall clock went back by
  };
  Step next(const Tick& tick);
  /// The wall clock's time at the first tick.
  [[nodiscard]] WallTime start() const { return start_; }
  [[nodiscard]] WallTime wall_time_at(Duration at) const {
    return start_ + std::chrono::floor<WallTime::duration>(at);
  }

 private:
  struct Passed {
    Duration time{};
    Duration went_back{};
  };
  [[nodiscard]] Passed passed_until(const Tick& tick, bool new_run) const;

  bool began_ = false;
  WallTime start_{};
  Duration at_{};
  WallTime wall_{};           ///< of the last tick
  MonotonicTime taken_at_{};  ///< likewise
  std::uint64_t number_ = 0;  ///< likewise
  std::optional<Duration> usual_;
};

}  // namespace memcoord::observers
