#pragma once
// What the guard knows of one domain's balloon from tick to tick: the last target and how the guest
// follows it, how fresh the guest's reports are, reboots, and the memory that QEMU itself takes.

#include <algorithm>
#include <optional>

#include "engine/core/decision.h"
#include "engine/core/guest_reports.h"
#include "engine/core/snapshot.h"

namespace memcoord {

/// The last target that was set, and how the guest follows it.
struct BalloonMove {
  MemorySize from;  ///< actual when the target was set
  MemorySize target;
  MonotonicTime at{};
  WallTime wall_time{};
  bool reached = false;     ///< actual has been at the target since, to the page
  bool progressed = false;  ///< actual has moved towards the target since
  [[nodiscard]] bool shrinks() const { return target < from; }
};

/// A target that was sent without an answer. The balloon may have any size between `from` and
/// `target`.
struct MoveInDoubt {
  MemorySize from;  ///< actual when the target was sent
  MemorySize target;
  MemorySize most;       ///< the highest of all targets that were sent without an answer
  bool only_one = true;  ///< no earlier target is in doubt as well
  MonotonicTime at{};
  WallTime wall_time{};
};

/// The host memory that a domain's QEMU process takes besides its guest's memory. rss counts the
/// pages that the guest has touched and QEMU's own memory in one figure. Two bounds separate them:
/// rss over the balloon's size is certainly QEMU's, and rss over the memory that the guest itself
/// uses is an upper bound.
class ProcessOverhead {
 public:
  /// How far the figures of an observation belong to one moment.
  struct Circumstances {
    bool steady = false;    ///< the balloon has not moved since the observation before
    bool reported = false;  ///< the guest's report is newer than the balloon's last move
  };
  void learn(const Domain& domain, const Circumstances& circumstances);
  /// The largest observed difference between rss and the guest's memory, or the estimate where that
  /// is larger. The estimate counts only for a guest that had untouched memory at its first
  /// observation: any other guest may have freed memory that it had touched.
  [[nodiscard]] MemorySize size(const Domain& domain) const {
    if (measured_) return std::max(*measured_, estimated_.value_or(MemorySize()));
    return estimated_ ? *estimated_ : usual(domain);
  }
  /// rss less what a guest had touched that had untouched memory at its first observation: the
  /// least so far.
  [[nodiscard]] const std::optional<MemorySize>& estimated() const { return estimated_; }
  /// The usual size by a formula, for a domain of which nothing is known: 30 MiB for QEMU, 32 MiB
  /// for video memory and a 512th of the guest's memory for page tables, after KubeVirt's
  /// GetMemoryOverhead (virt-controller) without its 8 MiB a processor and its pods' own processes.
  [[nodiscard]] static MemorySize usual(const Domain& domain) { return usual(domain.actual); }
  /// The same, for a guest of this size.
  [[nodiscard]] static MemorySize usual(MemorySize guest) {
    return MemorySize::from_mib(30 + 32) + guest / 512;
  }

 private:
  void follow_lists(MemorySize actual);

  std::optional<MemorySize> measured_;   ///< rss less the guest's memory: the maximum so far
  std::optional<MemorySize> estimated_;  ///< rss less what a fresh guest used: the minimum so far
  std::optional<MemorySize> last_actual_;
  /// What the balloon has given that the guest's kernel may hold in its lists, at most: it counts
  /// as used there, though nobody has touched it.
  MemorySize listed_;
  bool fresh_ = false;  ///< at its first observation it had not touched all of its memory
};

/// Follows one domain's balloon. A tracker that has observed nothing answers as for a domain that
/// was never moved and never reported.
class BalloonTracker {
 public:
  /// One observation of the host.
  struct Observation {
    MonotonicTime at{};
    WallTime wall_time{};
    bool first = false;  ///< the first of all: its domains ran before memcoord did
  };
  void observe(const Domain& domain, const Observation& observation);
  /// Records the outcome of a move that was sent at `at`.
  void record(const Outcome& outcome, MonotonicTime at, WallTime wall_time);
  /// Records the outcome of a move in doubt, which was learnt at `at`.
  void settle(const Outcome& outcome, MonotonicTime at, WallTime wall_time);

  /// Whether the last observation is the first since the domain appeared or restarted.
  [[nodiscard]] bool is_new() const { return is_new_; }
  [[nodiscard]] const GuestReports& reports() const { return reports_; }
  /// The last target that is known to be set.
  [[nodiscard]] const std::optional<BalloonMove>& last_move() const { return last_move_; }
  /// A later target whose outcome is unknown: it may have been set, or may still be.
  [[nodiscard]] const std::optional<MoveInDoubt>& in_doubt() const { return in_doubt_; }
  /// The size before memcoord first moved the balloon; none where memcoord has not moved it.
  [[nodiscard]] const std::optional<MemorySize>& before_first_move() const {
    return before_first_move_;
  }
  /// Whether a report is newer than the last move, by memcoord or by others; true where there was
  /// no move.
  [[nodiscard]] bool reported_since_move() const { return reported_since_move_; }
  /// Since when a report of the last move's result has been missing, by memcoord or by others;
  /// none: the newest report shows it, or there was no move. While a balloon is on its way, its
  /// guest's reports do not count.
  [[nodiscard]] std::optional<MonotonicTime> awaits_report_since() const {
    const bool moving = last_move_ && !last_move_->reached;
    const bool missing = !reported_since_move_ || (last_move_ && !report_is_newer_than_actual());
    if (!moving && !missing) return std::nullopt;
    return last_move_ ? std::max(last_move_->at, awaiting_since_) : awaiting_since_;
  }
  /// Whether the guest's total shows that the newest report is from another balloon size: from
  /// before the balloon filled (as at boot), or from before it gave memory back.
  [[nodiscard]] bool report_is_of_another_balloon(const Domain& now) const;
  /// What the balloon has taken since the newest report, by the guest's total. During a large
  /// shrink a guest's reports lag behind its balloon.
  [[nodiscard]] MemorySize shrunk_since_report(const Domain& now) const {
    if (!now.guest.available || !kernel_share_ || report_is_newer_than_actual()) return {};
    const MemorySize was = *now.guest.available + *kernel_share_;
    return was > now.actual + kTotalTolerance ? was - now.actual : MemorySize();
  }
  /// What the balloon has given since the newest report, by the guest's total; none where that is
  /// not known. A balloon that has not grown since has given nothing, as while it fills at boot.
  [[nodiscard]] std::optional<MemorySize> grown_since_report(const Domain& now) const {
    if (!grew_since_report_) return MemorySize();
    if (!now.guest.available || !kernel_share_) return std::nullopt;
    return now.actual - (*now.guest.available + *kernel_share_);
  }
  /// What shrinks of the last second have taken so far.
  [[nodiscard]] MemorySize shrunk_lately(const Domain& now, MonotonicTime at) const {
    const bool lately = shrinks_since_ && at - *shrinks_since_ < kAboutASecond;
    return lately ? shrinks_from_ - now.actual : MemorySize();
  }
  /// Whether the guest was asked to shrink, once or more often, and has not moved at all since: in
  /// two observations and two seconds.
  [[nodiscard]] bool ignores_shrinks() const { return ignores_shrinks_; }
  /// When the balloon last deflated by itself, past the target that was set.
  [[nodiscard]] std::optional<MonotonicTime> deflated_by_itself_at() const {
    return deflated_by_itself_at_;
  }
  /// When the guest last started or rebooted. The signs are an event, or counters back near zero
  /// together with a gap between its reports or an empty balloon.
  [[nodiscard]] std::optional<MonotonicTime> rebooted_at() const { return rebooted_at_; }
  /// When the domain appeared or rebooted while memcoord ran: it may be about to touch all of its
  /// memory. None for a domain of the first observation that has not rebooted since.
  [[nodiscard]] std::optional<MonotonicTime> began_at() const {
    return std::max(appeared_at_, rebooted_at_);
  }
  /// The newest rss that was reported since the domain started.
  [[nodiscard]] std::optional<MemorySize> last_rss() const { return last_rss_; }
  /// The memory that its QEMU takes besides the guest's.
  [[nodiscard]] MemorySize overhead(const Domain& now) const { return overhead_.size(now); }
  /// The memory that the domain may touch without asking: the largest of actual, a grow in flight
  /// and a target in doubt; its maximum while its guest boots.
  [[nodiscard]] MemorySize committed(const Domain& now) const {
    MemorySize most = now.actual;
    const bool grows = last_move_ && !last_move_->reached && !last_move_->shrinks();
    if (grows) most = std::max(most, last_move_->target);
    // A shrink in doubt counts too: the balloon may be under its target, and come back up to it.
    if (in_doubt_) most = std::max(most, in_doubt_->most);
    return boots_ ? std::max(most, now.maximum) : most;
  }
  /// What a shrink under way has not given back yet.
  [[nodiscard]] MemorySize coming_back(const Domain& now) const {
    if (ignores_shrinks_ || !last_move_ || last_move_->reached) return {};
    return last_move_->shrinks() ? now.actual - last_move_->target : MemorySize();
  }
  /// The size that the balloon is on its way to; its actual size where it rests, or where something
  /// else has moved it away from memcoord's target.
  [[nodiscard]] MemorySize heads_for(const Domain& now) const {
    return last_move_ && !last_move_->reached && !diverted_ ? last_move_->target : now.actual;
  }

 private:
  /// The difference between a guest's total and its balloon may grow by this much: the guest counts
  /// some pages elsewhere.
  static constexpr MemorySize kTotalTolerance = MemorySize::from_mib(1);
  void begin(const Domain& domain, const Observation& observation);
  void await_report(MonotonicTime since, WallTime wall_time);
  [[nodiscard]] bool balloon_is_empty_again(const Domain& domain) const;
  [[nodiscard]] bool notice_reboot(const Domain& domain, const Observation& observation);
  void note_shrink(const Outcome& outcome, MonotonicTime observed_at);
  void begin_move(const Outcome& outcome, MonotonicTime at, WallTime wall_time);
  void notice_ignored_shrink(const Domain& domain, MonotonicTime now);
  void notice_foreign_move(const Domain& domain, const Observation& observation);
  void notice_self_deflation(const Domain& domain, MonotonicTime now);
  void follow_move(const Domain& domain);
  void settle_by_size(const Domain& domain);
  void follow_report(const Domain& domain, const Observation& observation, bool rebooted);
  void learn_kernel_share(const Domain& domain);
  void learn_overhead(const Domain& domain, const Observation& observation, bool rebooted);
  [[nodiscard]] bool report_is_newer_than_actual() const {
    return reports_.not_before() && *reports_.not_before() >= actual_changed_at_;
  }

  int id_ = 0;
  bool is_new_ = true;
  /// The guest boots: until its driver has loaded, and reports, the balloon is empty, whatever size
  /// the hypervisor still reports.
  bool boots_ = false;
  bool diverted_ = false;         ///< it last moved away from the target
  bool asked_to_shrink_ = false;  ///< it was, and has not moved since
  bool ignores_shrinks_ = false;
  int unmoved_observations_ = 0;  ///< since it was first asked
  MonotonicTime asked_at_{};      ///< the observation that led to that
  /// The observation that led to the first shrink of the last second, and the size then.
  std::optional<MonotonicTime> shrinks_since_;
  MemorySize shrinks_from_;
  std::optional<MonotonicTime> observed_at_;
  MemorySize last_actual_;
  MonotonicTime actual_changed_at_{};
  bool grew_since_report_ = false;  ///< or within the observations around the report
  std::optional<MemorySize> before_first_move_;
  std::optional<BalloonMove> last_move_;
  std::optional<MoveInDoubt> in_doubt_;

  // The report that is awaited since the last move, and by which clocks.
  bool reported_since_move_ = true;
  bool report_changed_since_move_ = false;
  MonotonicTime awaiting_since_{};
  WallTime awaiting_since_wall_time_{};

  std::optional<MonotonicTime> deflated_by_itself_at_;
  std::optional<MonotonicTime> appeared_at_;
  std::optional<MonotonicTime> rebooted_at_;
  std::optional<MonotonicTime> last_started_at_;
  std::optional<MonotonicTime> last_restored_at_;
  std::optional<MemorySize> last_rss_;
  ProcessOverhead overhead_;
  /// What the guest's kernel keeps of actual for itself; none where its total does not follow.
  std::optional<MemorySize> kernel_share_;
  GuestReports reports_;
};

}  // namespace memcoord
