#include "engine/workbench/journal_time.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/observers/amounts.h"
#include "engine/observers/events.h"
#include "engine/workbench/trace.h"

namespace memcoord::workbench {
namespace {

/// A wall clock that NTP slews differs less from the monotonic clock, from tick to tick.
constexpr std::chrono::seconds kJump{5};

std::string utc_text(WallTime time) {
  return observers::time_text(time, false, true) + " UTC";
}

}  // namespace

Result<Duration> JournalTime::place(const Tick& tick) {
  const Observation now{tick.snapshot.wall_time, tick.snapshot.taken_at, tick.number};
  const bool begins = !last_ || now.number <= last_->number || now.monotonic < last_->monotonic;
  if (begins && !runs_.emplace(now.wall, now.monotonic, now.number).second) {
    return fail(ErrorCode::invalid_input, "",
                "the ticks from " + utc_text(now.wall) + " on are there twice",
                "name each journal once");
  }
  if (runs_.size() > kMostRuns) {
    return fail(ErrorCode::limit_exceeded, "",
                "more than " + std::to_string(kMostRuns) + " runs of memcoord",
                "name journals of a shorter time");
  }
  follows_another_run_ = begins && last_;
  went_back_ = follows_another_run_ && now.wall < last_->wall;
  since_last_ = last_ ? step_to(now) : Duration();
  last_ = now;
  at_ += since_last_;
  if (at_ > kLongestTrace) {
    return fail(ErrorCode::limit_exceeded, "", "the recording is longer than 100 years");
  }
  return at_;
}

Duration JournalTime::step_to(const Observation& now) {
  const Duration by_wall = now.wall - last_->wall;
  if (follows_another_run_) {
    if (by_wall > Duration()) return known(by_wall, now);
    if (jumps_++ == 0) first_jump_ = by_wall, first_jump_at_ = last_->wall;
    return least_;
  }
  const Duration step = now.monotonic - last_->monotonic;
  if (const Duration jump = by_wall - step; jump > kJump || jump < -kJump) {
    if (jumps_++ == 0) first_jump_ = jump, first_jump_at_ = last_->wall;
  }
  return known(step, now);
}

/// The step, unless it is a gap.
Duration JournalTime::known(Duration step, const Observation& now) {
  if (step <= std::max<Duration>(kLongestGap, 3 * usual_)) {
    if (!follows_another_run_) usual_ = step;
    return step;
  }
  ++gaps_;
  in_gaps_ += step;
  if (step > longest_gap_) {
    longest_gap_ = step;
    longest_began_ = now.wall - std::chrono::duration_cast<WallTime::duration>(step);
  }
  return least_;
}

std::vector<std::string> JournalTime::notes() const {
  std::vector<std::string> notes;
  if (gaps_ > 0) {
    notes.push_back(fmt::format(
        "nothing was recorded for {} from {}{}; that time is left out",
        observers::duration_text(longest_gap_), utc_text(longest_began_) + " on",
        gaps_ == 1 ? ""
                   : fmt::format(", nor in {} shorter gap{} ({} in all)", gaps_ - 1,
                                 gaps_ == 2 ? "" : "s", observers::duration_text(in_gaps_))));
  }
  if (jumps_ > 0) {
    notes.push_back(fmt::format(
        "the wall clock jumped {}, {}by {}{} at {}; within a run the monotonic clock counts",
        jumps_ == 1 ? "once" : fmt::format("{} times", jumps_), jumps_ == 1 ? "" : "first ",
        first_jump_ < Duration() ? "-" : "+",
        observers::duration_text(std::chrono::abs(first_jump_)), utc_text(first_jump_at_)));
  }
  return notes;
}

}  // namespace memcoord::workbench
