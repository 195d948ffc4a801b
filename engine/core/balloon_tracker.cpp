#include "engine/core/balloon_tracker.h"

#include <algorithm>
#include <cstdint>

namespace memcoord {
namespace {

/// The upper limit of the estimate: a guest that has freed much memory makes its QEMU seem larger
/// than it is.
constexpr MemorySize kMaxEstimated = MemorySize::from_mib(512);
/// The tolerance between figures of two moments.
constexpr MemorySize kRssTolerance = MemorySize::from_mib(1);
/// Of the memory that a kernel keeps for itself, it touches its image and its page structs (64
/// bytes a page of 4 KiB) while it boots. It does not touch a reserve for crash dumps.
constexpr MemorySize kKernelImage = MemorySize::from_mib(32);
constexpr std::uint64_t kPageStructs = 64;
/// A kernel keeps up to this much of what its balloon gives in lists that do not count as free
/// (measured in Linux 6.1).
constexpr MemorySize kMaxListed = MemorySize::from_mib(64);
/// After this many observations without a move, a guest that was asked to shrink counts as not
/// following.
constexpr int kObservationsToFollow = 2;
/// And no sooner than this after it was asked.
constexpr Duration kTimeToFollow = 2 * kAboutASecond;

/// What the guest uses, with what its kernel has touched at least; none where it does not report.
std::optional<MemorySize> used_by_guest(const Domain& domain) {
  if (!domain.guest.available || !domain.guest.unused) return std::nullopt;
  const MemorySize kernel = domain.actual - *domain.guest.available;
  const MemorySize touched_at_boot = kKernelImage + domain.maximum / kPageStructs;
  return *domain.guest.available - *domain.guest.unused + std::min(kernel, touched_at_boot);
}

struct Moments {
  WallTime than;         ///< the moment to compare with
  WallTime observed_at;  ///< when the stamp was observed
};

/// Whether a report's stamp shows that it was made after a moment, on clocks that agree.
bool stamped_later(WallTime stamp, const Moments& moments) {
  using std::chrono::seconds;
  // A stamp from the future: the host's clock is ahead of this machine's, so the stamp proves
  // nothing.
  if (stamp > moments.observed_at + seconds(1)) return false;
  // libvirt truncates stamps to whole seconds: a report is certainly later only if its second is.
  const bool whole = stamp.time_since_epoch() % seconds(1) == Duration::zero();
  return whole ? stamp > std::chrono::floor<seconds>(moments.than) : stamp > moments.than;
}

}  // namespace

/// What a balloon takes comes out of the lists first.
void ProcessOverhead::follow_lists(MemorySize actual) {
  const MemorySize before = last_actual_.value_or(actual);
  listed_ = std::min(listed_ + (actual - before) - (before - actual), kMaxListed);
  last_actual_ = actual;
}

void ProcessOverhead::learn(const Domain& domain, const Circumstances& circumstances) {
  follow_lists(domain.actual);
  if (!domain.rss) return;
  const MemorySize rss = *domain.rss;
  const MemorySize guest = memory_in_rss(domain, domain.actual);
  if (!measured_ && rss < guest) fresh_ = true;
  if (circumstances.steady && rss >= guest) {
    measured_ = std::max(measured_.value_or(MemorySize()), rss - guest);
  }
  if (!fresh_ || !circumstances.reported) return;
  const auto used = used_by_guest(domain);
  if (!used) return;
  const MemorySize touched = *used - listed_;
  // Where the guest has touched more than its process holds, the host has swapped it out, or the
  // guest is just taking memory: nothing is learnt.
  if (rss + kRssTolerance < touched) return;
  const MemorySize most = std::min(rss - touched, kMaxEstimated);
  estimated_ = std::min(estimated_.value_or(most), most);
}

// Linux takes the balloon out of its total (MemTotal), one for one, so that the total plus what the
// kernel keeps for itself is the balloon's size at the time of the report. Some drivers leave the
// total as it is, Linux too where the balloon deflates by itself: nothing is concluded from these
// once a report is surely newer than the balloon's last change.

bool BalloonTracker::report_is_of_another_balloon(const Domain& now) const {
  if (!now.guest.available || report_is_newer_than_actual()) return false;
  if (!kernel_share_) return *now.guest.available > now.actual;
  return *now.guest.available + *kernel_share_ + kTotalTolerance < now.actual;
}

void BalloonTracker::learn_kernel_share(const Domain& domain) {
  if (!domain.guest.available || !report_is_newer_than_actual()) return;
  if (*domain.guest.available <= domain.actual) {
    kernel_share_ = domain.actual - *domain.guest.available;
  } else {
    kernel_share_.reset();
  }
}

void BalloonTracker::follow_move(const Domain& domain) {
  if (!last_move_) return;
  BalloonMove& move = *last_move_;
  const bool shrink = move.shrinks();
  if (shrink ? domain.actual < move.from : domain.actual > move.from) move.progressed = true;
  // A balloon rests up to a page beside its target. A balloon that stands still may have the
  // largest page; one that moves may pass there.
  const MemorySize page = domain.actual == last_actual_ ? kLargestGuestPage : kBalloonPage;
  if (shrink ? domain.actual < move.target + page : domain.actual + page > move.target) {
    move.reached = move.progressed = true;
  }
}

/// A balloon at the target in doubt shows that the target was set, unless the balloon passes there
/// on its way to another target.
void BalloonTracker::settle_by_size(const Domain& domain) {
  if (!in_doubt_ || !in_doubt_->only_one || (last_move_ && !last_move_->reached)) return;
  const MoveInDoubt& doubt = *in_doubt_;
  const auto at_target = [&](MemorySize size) {
    return size < doubt.target + kBalloonPage && size + kBalloonPage > doubt.target;
  };
  if (!at_target(domain.actual) || at_target(doubt.from)) return;
  last_move_ = BalloonMove{doubt.from, doubt.target, doubt.at, doubt.wall_time, true, true};
  in_doubt_.reset();
}

void BalloonTracker::record(const Outcome& outcome, MonotonicTime at, WallTime wall_time) {
  switch (outcome.kind) {
    case Outcome::Kind::applied:
      if (!before_first_move_) before_first_move_ = outcome.from;
      begin_move(outcome, at, wall_time);
      in_doubt_.reset();
      break;
    case Outcome::Kind::unknown:
      if (!before_first_move_) before_first_move_ = outcome.from;
      in_doubt_ = MoveInDoubt{outcome.from,
                              outcome.to,
                              std::max(outcome.to, in_doubt_ ? in_doubt_->most : MemorySize()),
                              !in_doubt_,
                              at,
                              wall_time};
      break;
    case Outcome::Kind::vanished:
      in_doubt_.reset();
      before_first_move_.reset();
      return;
    default:
      return;
  }
  note_shrink(outcome, observed_at_.value_or(at));
  // The observation that led to the move, if at the same moment, came before it.
  await_report(at + Duration(1), wall_time);
}

void BalloonTracker::note_shrink(const Outcome& outcome, MonotonicTime observed_at) {
  if (outcome.to >= outcome.from) return;
  if (shrinks_since_ && observed_at - *shrinks_since_ < kAboutASecond) return;
  shrinks_since_ = observed_at;
  shrinks_from_ = outcome.from;
}

void BalloonTracker::settle(const Outcome& outcome, MonotonicTime at, WallTime wall_time) {
  if (!in_doubt_) return;  // an observation has settled it
  const bool applied = outcome.kind == Outcome::Kind::applied;
  const bool vanished = outcome.kind == Outcome::Kind::vanished;
  if (applied || vanished) return record(outcome, at, wall_time);
  if (!in_doubt_->only_one) return;
  in_doubt_.reset();
  // memcoord has never moved it.
  if (!last_move_) before_first_move_.reset();
}

void BalloonTracker::follow_report(const Domain& domain, const Observation& observation,
                                   bool rebooted) {
  const GuestReports::Context context{observation.at,        observed_at_.value_or(observation.at),
                                      observation.wall_time, rebooted,
                                      domain.restored_at,    domain.reported_after};
  if (reports_.observe(domain.guest, context)) report_changed_since_move_ = true;
  const bool is_newest = reports_.first_observed_at() == observation.at;
  const bool grew = !is_new_ && domain.actual > last_actual_;
  grew_since_report_ = grew || (grew_since_report_ && !is_newest);
  if (reported_since_move_ || !domain.guest.last_update) return;
  // An observation after the move did not show this report yet: proof, whatever the clocks say.
  const bool surely_later = reports_.not_before() && *reports_.not_before() >= awaiting_since_;
  reported_since_move_ =
      surely_later ||
      (report_changed_since_move_ &&
       stamped_later(*domain.guest.last_update,
                     {.than = awaiting_since_wall_time_, .observed_at = observation.wall_time}));
}

void BalloonTracker::await_report(MonotonicTime since, WallTime wall_time) {
  awaiting_since_ = since;
  awaiting_since_wall_time_ = wall_time;
  reported_since_move_ = false;
  report_changed_since_move_ = false;
}

/// An administrator, or the guest itself, has moved the balloon.
void BalloonTracker::notice_foreign_move(const Domain& domain, const Observation& observation) {
  if (!is_new_ && domain.actual == last_actual_) return;
  actual_changed_at_ = observation.at;
  if (is_new_) return;
  const bool ours =
      last_move_ && !last_move_->reached &&
      (last_move_->shrinks() ? domain.actual < last_actual_ : domain.actual > last_actual_);
  diverted_ = !ours;
  if (!ours) await_report(observation.at, observation.wall_time);
}

void BalloonTracker::notice_self_deflation(const Domain& domain, MonotonicTime now) {
  if (is_new_ || !domain.deflates_by_itself || domain.actual <= last_actual_) return;
  const bool past_target = !last_move_ || domain.actual > last_move_->target;
  if (past_target) deflated_by_itself_at_ = now;
}

/// Whether the guest has found an empty balloon without a move: a kernel that has just booted.
bool BalloonTracker::balloon_is_empty_again(const Domain& domain) const {
  if (is_new_ || domain.deflates_by_itself) return false;
  const bool grows = last_move_ && last_move_->target > last_move_->from && !last_move_->reached;
  if (grows) return false;
  const bool emptied =
      domain.actual > last_actual_ && domain.actual + kTotalTolerance >= domain.maximum;
  const auto& total = domain.guest.available;
  const auto& last_total = reports_.last().available;
  // The hypervisor may still report the balloon's size from before.
  const bool has_all_back = domain.actual == last_actual_ && kernel_share_ && total && last_total &&
                            *total > *last_total + kTotalTolerance &&
                            *total + *kernel_share_ > domain.actual + kTotalTolerance;
  return emptied || has_all_back;
}

/// Whether the guest has rebooted since the last observation: an event says so, or several signs
/// do.
bool BalloonTracker::notice_reboot(const Domain& domain, const Observation& observation) {
  const bool restored = domain.restored_at && domain.restored_at != last_restored_at_;
  last_restored_at_ = domain.restored_at;
  // libvirt lists a domain before it sends the event that says how the domain came back. Until then
  // the domain counts as started.
  if (restored) rebooted_at_.reset();
  const bool event = domain.started_at && domain.started_at != last_started_at_;
  const bool signs = reports_.counters_restarted(domain.guest) &&
                     !reports_.precede(domain.restored_at) &&
                     (reports_.missed_before(domain.guest, observed_at_.value_or(observation.at)) ||
                      balloon_is_empty_again(domain));
  if (signs) rebooted_at_ = observation.at;
  if (event) rebooted_at_ = last_started_at_ = domain.started_at;
  const bool reports = reports_.is_new(domain.guest);
  // A report in the same observation as a reboot may be from before it; a new process has no such
  // report.
  if (event) {
    boots_ = !is_new_ || !reports;
  } else if (reports || restored) {
    boots_ = false;
  }
  return signs || event;
}

void BalloonTracker::begin_move(const Outcome& outcome, MonotonicTime at, WallTime wall_time) {
  const bool shrink = outcome.to + kLargestGuestPage <= outcome.from;
  // Only a move clears a guest that has ignored a shrink; another request does not.
  if (shrink && !asked_to_shrink_) {
    unmoved_observations_ = 0;
    asked_at_ = observed_at_.value_or(at);
  }
  asked_to_shrink_ = shrink || (asked_to_shrink_ && ignores_shrinks_);
  last_move_ = BalloonMove{outcome.from, outcome.to, at, wall_time};
  diverted_ = false;
}

void BalloonTracker::notice_ignored_shrink(const Domain& domain, MonotonicTime now) {
  if (!asked_to_shrink_) return;
  if (domain.actual != last_actual_) {
    asked_to_shrink_ = ignores_shrinks_ = false;
    return;
  }
  ++unmoved_observations_;
  if (unmoved_observations_ >= kObservationsToFollow && now - asked_at_ >= kTimeToFollow &&
      reported_since_move_) {
    ignores_shrinks_ = true;
  }
}

/// A restarted domain is another guest: its tracker starts afresh. A target in doubt stays, because
/// it may have been sent after the start; the hypervisor reports its outcome later.
void BalloonTracker::begin(const Domain& domain, const Observation& observation) {
  const std::optional<MoveInDoubt> in_doubt = in_doubt_;
  *this = BalloonTracker();
  id_ = domain.id;
  if (!observation.first) appeared_at_ = observation.at;
  if (!in_doubt) return;
  in_doubt_ = in_doubt;
  in_doubt_->from = domain.actual;
  before_first_move_ = domain.actual;
}

void BalloonTracker::learn_overhead(const Domain& domain, const Observation& observation,
                                    bool rebooted) {
  // The rss from before a reboot does not count any more.
  if (rebooted) last_rss_.reset();
  if (domain.rss) last_rss_ = domain.rss;
  const bool steady = is_new_ || actual_changed_at_ != observation.at;
  const bool reported = is_new_ || report_is_newer_than_actual();
  overhead_.learn(domain, {.steady = steady, .reported = reported});
}

void BalloonTracker::observe(const Domain& domain, const Observation& observation) {
  is_new_ = !observed_at_ || domain.id != id_;
  if (is_new_) begin(domain, observation);
  const bool rebooted = notice_reboot(domain, observation);
  notice_foreign_move(domain, observation);
  notice_self_deflation(domain, observation.at);
  follow_move(domain);
  settle_by_size(domain);
  follow_report(domain, observation, rebooted);
  notice_ignored_shrink(domain, observation.at);
  learn_kernel_share(domain);
  learn_overhead(domain, observation, rebooted);
  last_actual_ = domain.actual;
  observed_at_ = observation.at;
}

}  // namespace memcoord
