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

/// A target that was sent and not answered. The balloon may be anywhere between its size and there.
struct MoveInDoubt {
  MemorySize from;  ///< actual when the target was sent
  MemorySize target;
  MemorySize most;       ///< the highest of all targets that were sent without an answer
  bool only_one = true;  ///< no earlier target is in doubt as well
  MonotonicTime at{};
  WallTime wall_time{};
};

/// The host memory that a domain's QEMU process takes besides its guest's memory. rss counts the
/// pages that the guest has touched and QEMU's own memory in one figure. Two bounds tell them
/// apart: what rss has over the balloon's size is QEMU's for sure, and what it has over the memory
/// that the guest itself uses is the most that QEMU can have.
class ProcessOverhead {
 public:
  /// How far the figures of an observation belong to one moment.
  struct Circumstances {
    bool steady = false;    ///< the balloon has not moved since the observation before
    bool reported = false;  ///< the guest's report is newer than the balloon's last move
  };
  void learn(const Domain& domain, const Circumstances& circumstances);
  /// The most that rss was seen over the guest's memory, or the estimate where that is more. The
  /// estimate counts only for a guest that had untouched memory when it was first seen: another one
  /// may have freed what it had touched.
  [[nodiscard]] MemorySize size(const Domain& domain) const {
    if (seen_) return std::max(*seen_, estimated_.value_or(MemorySize()));
    return estimated_ ? *estimated_ : usual(domain);
  }
  /// The usual size by a formula, for a domain of which nothing is known: 30 MiB for QEMU, 32 MiB
  /// for video memory and a 512th of the guest's memory for page tables, after KubeVirt's
  /// GetMemoryOverhead (virt-controller) without its 8 MiB a processor and its pods' own processes.
  [[nodiscard]] static MemorySize usual(const Domain& domain) {
    return MemorySize::from_mib(30 + 32) + domain.actual / 512;
  }

 private:
  std::optional<MemorySize> seen_;       ///< what rss had over the guest's memory: a maximum
  std::optional<MemorySize> estimated_;  ///< what rss had over what a fresh guest used: a minimum
  bool fresh_ = false;  ///< when it was seen first, it had not touched all of its memory
};

/// Follows one domain's balloon. A tracker that has observed nothing answers as for a domain that
/// was never moved and never reported.
class BalloonTracker {
 public:
  /// One observation of the host.
  struct Observation {
    MonotonicTime at{};
    WallTime wall_time{};
    bool first = false;  ///< of all: the domains that it shows have been there before
  };
  void observe(const Domain& domain, const Observation& observation);
  /// Takes in the outcome of a move that was sent at that time.
  void record(const Outcome& outcome, MonotonicTime at, WallTime wall_time);
  /// Takes in the outcome of a move in doubt, learnt at that time.
  void settle(const Outcome& outcome, MonotonicTime at, WallTime wall_time);

  /// Whether the last observation is the first one since the domain came or was started again.
  [[nodiscard]] bool is_new() const { return is_new_; }
  [[nodiscard]] const GuestReports& reports() const { return reports_; }
  /// The last target that was surely set.
  [[nodiscard]] const std::optional<BalloonMove>& last_move() const { return last_move_; }
  /// A target that may have been set after it, or may still be.
  [[nodiscard]] const std::optional<MoveInDoubt>& in_doubt() const { return in_doubt_; }
  /// The size before memcoord first moved the balloon; none where memcoord has not moved it.
  [[nodiscard]] const std::optional<MemorySize>& before_first_move() const {
    return before_first_move_;
  }
  /// Whether a report has come in that is newer than the last move by memcoord or others (true
  /// where there was none).
  [[nodiscard]] bool reported_since_move() const { return reported_since_move_; }
  /// Whether the newest report was made before the balloon filled (as at boot), or before
  /// it gave back what the guest holds now, as far as the guest's total tells.
  [[nodiscard]] bool report_is_of_another_balloon(const Domain& now) const;
  /// What the balloon has taken since the newest report, as far as the guest's total tells: while a
  /// large shrink goes on, a guest's report lags behind its balloon.
  [[nodiscard]] MemorySize shrunk_since_report(const Domain& now) const {
    if (!now.guest.available || !kernel_share_ || report_is_newer_than_actual()) return {};
    const MemorySize was = *now.guest.available + *kernel_share_;
    return was > now.actual + kTotalTolerance ? was - now.actual : MemorySize();
  }
  /// Whether the guest was told to shrink, once or more often, and has not moved at all since.
  [[nodiscard]] bool ignores_shrinks() const { return ignores_shrinks_; }
  /// When the balloon was last seen to deflate by itself, past the target that was set.
  [[nodiscard]] std::optional<MonotonicTime> deflated_by_itself_at() const {
    return deflated_by_itself_at_;
  }
  /// When the guest was last seen to start or reboot: an event, or counters that are back near zero
  /// together with a gap between its reports or a balloon that is empty again.
  [[nodiscard]] std::optional<MonotonicTime> rebooted_at() const { return rebooted_at_; }
  /// When the domain came or rebooted while memcoord ran: it may be about to touch all of its
  /// memory. None for a domain that the first observation showed.
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
  /// The size that the balloon is on its way to; its actual size where it rests.
  [[nodiscard]] MemorySize heads_for(const Domain& now) const {
    return last_move_ && !last_move_->reached ? last_move_->target : now.actual;
  }

 private:
  /// A guest's total and its balloon may differ by so much more than they did: pages that are
  /// counted elsewhere.
  static constexpr MemorySize kTotalTolerance = MemorySize::from_mib(1);
  void begin(const Domain& domain, const Observation& observation);
  void await_report(MonotonicTime since, WallTime wall_time);
  [[nodiscard]] bool balloon_is_empty_again(const Domain& domain) const;
  [[nodiscard]] bool notice_reboot(const Domain& domain, const Observation& observation);
  void begin_move(const Outcome& outcome, MonotonicTime at, WallTime wall_time);
  void notice_ignored_shrink(const Domain& domain);
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
  /// the hypervisor still tells.
  bool boots_ = false;
  bool told_to_shrink_ = false;  ///< and has not moved since
  bool ignores_shrinks_ = false;
  int unmoved_observations_ = 0;  ///< since it was first told
  std::optional<MonotonicTime> observed_at_;
  MemorySize last_actual_;
  MonotonicTime actual_changed_at_{};
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
