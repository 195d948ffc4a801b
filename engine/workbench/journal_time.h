#pragma once
// The time line of recorded ticks: gaps, runs of memcoord, clocks that jump.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"

namespace memcoord::workbench {

/// Places ticks on one time line, which begins at 0 and never goes back. Within a run of memcoord
/// the monotonic clock counts, between runs the wall clock. A gap (memcoord did not run, or its
/// ticks were lost) longer than kLongestGap, and than three times the ticks' distance before it, is
/// left out: nothing is known of it.
class JournalTime {
 public:
  static constexpr std::chrono::minutes kLongestGap{5};

  static constexpr std::size_t kMostRuns = 200'000;

  /// `least`: the time that a gap which is left out, or a clock that goes back, counts with.
  explicit JournalTime(Duration least) : least_(least) {}

  /// The tick's time since the first one. Errors, without an object: invalid_input for the first
  /// tick of a run that it has placed before; limit_exceeded for more than kMostRuns runs and for
  /// more than kLongestTrace.
  Result<Duration> place(const Tick& tick);
  /// The time from the tick before to the newest one.
  [[nodiscard]] Duration since_last() const { return since_last_; }
  /// Whether the newest tick is earlier than the one before by the wall clock, in another run.
  [[nodiscard]] bool went_back() const { return went_back_; }
  /// A line for gaps, and one for clocks that jump.
  [[nodiscard]] std::vector<std::string> notes() const;

 private:
  struct Observation {
    WallTime wall;
    MonotonicTime monotonic;
    std::uint64_t number = 0;
  };
  Duration step_to(const Observation& now);
  Duration known(Duration step, const Observation& now);

  Duration least_;
  Duration at_{};
  Duration since_last_{};
  bool follows_another_run_ = false;  ///< the newest tick begins a run that is not the first
  bool went_back_ = false;
  std::optional<Observation> last_;
  std::set<std::tuple<WallTime, MonotonicTime, std::uint64_t>> runs_;  ///< their first ticks
  Duration usual_{};  ///< the last distance of two ticks that was no gap
  std::size_t gaps_ = 0;
  Duration in_gaps_{};
  Duration longest_gap_{};
  WallTime longest_began_{};
  std::size_t jumps_ = 0;
  Duration first_jump_{};
  WallTime first_jump_at_{};
};

}  // namespace memcoord::workbench
