#pragma once
// What is remembered of each domain from tick to tick: a bounded window of samples, rates made
// from the guests' counters, and the last balloon move with what became of it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/core/process_overhead.h"
#include "engine/core/sample_ring.h"
#include "engine/core/snapshot.h"
#include "engine/core/tick_parts.h"

namespace memcoord {

/// The last target that was set, and how the guest follows it.
struct BalloonMove {
  MemorySize from;  ///< actual when it was set
  MemorySize target;
  MonotonicTime at{};
  WallTime wall_time{};
  bool reached = false;     ///< actual has been at the target since, to the page
  bool progressed = false;  ///< actual has moved towards it since
};

/// A target that was sent and not answered. The balloon may be anywhere between its size and there.
struct MoveInDoubt {
  MemorySize from;  ///< actual when it was sent
  MemorySize target;
  MemorySize most;       ///< the highest target of all that were sent and are not known of
  bool only_one = true;  ///< no earlier one is in doubt as well
  MonotonicTime at{};
  WallTime wall_time{};
};

/// One domain's past. Its newest looks are all kept; of what is older, looks at even distances
/// over the whole window, so that a question about an hour and one about ten seconds are both
/// answered from samples that stand equally far apart.
class DomainHistory {
 public:
  /// The newest looks, every one of them.
  [[nodiscard]] const SampleRing& samples() const { return recent_; }
  /// How many samples a walk over the past can touch.
  [[nodiscard]] std::size_t sample_count() const { return recent_.size() + older_.size(); }
  /// The newest sample; there is always one once a domain has been observed.
  [[nodiscard]] const Sample& latest() const { return recent_.back(); }

  // Over the samples of the last `window`, the newest included; samples that lack the figure are
  // passed over; none where all lack it.
  [[nodiscard]] std::optional<double> average(Field field, Duration window) const;
  [[nodiscard]] std::optional<double> maximum(Field field, Duration window) const;
  [[nodiscard]] std::optional<double> minimum(Field field, Duration window) const;
  /// By linear interpolation between ranks; q within 0..1.
  [[nodiscard]] std::optional<double> quantile(Field field, double q, Duration window) const;
  /// Least-squares slope, a second; none with fewer than two samples.
  [[nodiscard]] std::optional<double> slope(Field field, Duration window) const;

  /// Whether this is the first look at the domain since it came or was started again.
  [[nodiscard]] bool is_new() const { return is_new_; }
  /// The last target that was surely set.
  [[nodiscard]] const std::optional<BalloonMove>& last_move() const { return last_move_; }
  /// A target that may have been set after it, or may be still.
  [[nodiscard]] const std::optional<MoveInDoubt>& in_doubt() const { return in_doubt_; }
  /// What it had before memcoord first moved it; none where it has not been moved.
  [[nodiscard]] const std::optional<MemorySize>& before_first_move() const {
    return before_first_move_;
  }
  /// The look that first showed the guest's newest report, on the monotonic clock: immune to steps
  /// of the wall clock and to the clocks of remote hosts.
  [[nodiscard]] std::optional<MonotonicTime> report_first_seen_at() const {
    return report_first_seen_at_;
  }
  /// A moment that the newest report is surely not older than, where it was seen to change: the
  /// look before the one that showed it.
  [[nodiscard]] std::optional<MonotonicTime> report_not_before() const {
    return report_not_before_;
  }
  /// A report newer than the last move - whoever made it - has come in (true where there was none).
  [[nodiscard]] bool reported_since_move() const { return reported_since_move_; }
  /// The newest report was made before the balloon filled (at boot, by whoever), or before it gave
  /// back what it holds now, as far as the guest's total tells.
  [[nodiscard]] bool report_is_of_another_balloon(const Domain& now) const;
  /// What the balloon has taken since the newest report, as far as the guest's total tells: while a
  /// large shrink goes on, what a guest reports lags behind what it has.
  [[nodiscard]] MemorySize shrunk_since_report(const Domain& now) const {
    if (!now.guest.available || !kernel_share_ || report_is_newer_than_actual()) return {};
    const MemorySize was = *now.guest.available + *kernel_share_;
    return was > now.actual + kTotalTolerance ? was - now.actual : MemorySize();
  }
  /// The guest was told to shrink and has not moved at all since, however often it was told.
  [[nodiscard]] bool ignores_shrinks() const { return ignores_shrinks_; }
  /// When the balloon was last seen to deflate by itself, past the target that was set.
  [[nodiscard]] std::optional<MonotonicTime> deflated_by_itself_at() const {
    return deflated_by_itself_at_;
  }
  /// When the guest was last seen to start or reboot: an event, or counters that are back near zero
  /// together with a gap between its reports or a balloon that began anew.
  [[nodiscard]] std::optional<MonotonicTime> rebooted_at() const { return rebooted_at_; }
  /// When it came or rebooted under memcoord's eyes: whatever brought it, it may be about to touch
  /// all of its memory. None for what was there at the first look.
  [[nodiscard]] std::optional<MonotonicTime> began_at() const {
    return std::max(appeared_at_, rebooted_at_);
  }
  /// The newest report, with what of it can be true.
  [[nodiscard]] const GuestStatistics& last_report() const { return last_report_; }
  /// The newest rss that was reported since it started.
  [[nodiscard]] std::optional<MemorySize> last_rss() const { return last_rss_; }
  /// What its QEMU takes on top of the guest's memory.
  [[nodiscard]] MemorySize overhead(const Domain& now) const { return overhead_.size(now); }
  /// What the domain may hold without being asked again: the largest of actual, a grow in flight
  /// and a target in doubt; its maximum while its guest boots.
  [[nodiscard]] MemorySize claim(const Domain& now) const {
    MemorySize most = now.actual;
    const bool grows = last_move_ && !last_move_->reached && last_move_->target >= last_move_->from;
    if (grows) most = std::max(most, last_move_->target);
    // A shrink in doubt counts too: the balloon may be under its target, and come back up to it.
    if (in_doubt_) most = std::max(most, in_doubt_->most);
    return boots_ ? std::max(most, now.maximum) : most;
  }
  /// What a shrink that it follows has not given back yet.
  [[nodiscard]] MemorySize coming_back(const Domain& now) const {
    if (ignores_shrinks_ || !last_move_ || last_move_->reached) return {};
    return last_move_->target < last_move_->from ? now.actual - last_move_->target : MemorySize();
  }

 private:
  friend class History;
  /// Total and balloon may differ by so much more than they did: pages that are counted elsewhere.
  static constexpr MemorySize kTotalTolerance = MemorySize::from_mib(1);
  /// When a domain is looked at, and how much of its past is kept.
  struct Look {
    MonotonicTime at{};
    WallTime wall_time{};
    std::size_t recent = 0;  ///< samples
    std::size_t older = 0;   ///< samples
    Duration window{};
    Duration distance{};  ///< of the older samples from each other
    bool first = false;   ///< of all: what it shows has been there before
  };
  /// A guest's counters.
  struct Counters {
    std::optional<MemorySize> swap_in;
    std::optional<MemorySize> swap_out;
    std::optional<std::uint64_t> major_faults;
    std::optional<std::uint64_t> minor_faults;
  };
  void take(const Domain& domain, const Look& look);
  void begin(const Domain& domain, const Look& look);
  void keep(const Sample& sample, const Look& look);
  void await_report(MonotonicTime since, WallTime wall_time);
  [[nodiscard]] bool reports_had_a_gap(const Domain& domain) const;
  [[nodiscard]] bool balloon_began_anew(const Domain& domain) const;
  [[nodiscard]] bool last_report_precedes_restore(const Domain& domain) const;
  [[nodiscard]] bool notice_reboot(const Domain& domain, MonotonicTime now);
  void begin_move(const Outcome& outcome, MonotonicTime at, WallTime wall_time);
  void notice_who_ignores(const Domain& domain);
  void notice_foreign_move(const Domain& domain, const Look& look);
  void notice_self_deflation(const Domain& domain, MonotonicTime now);
  void follow_move(const Domain& domain);
  void record(const Outcome& outcome, MonotonicTime at, WallTime wall_time);
  void settle(const Outcome& outcome, MonotonicTime at, WallTime wall_time);
  void settle_by_size(const Domain& domain);
  void follow_report(const Domain& domain, const Look& look);
  void learn_kernel_share(const Domain& domain);
  void take_report(const GuestStatistics& report, bool rebooted);
  [[nodiscard]] bool report_is_newer_than_actual() const {
    return report_not_before_ && *report_not_before_ >= actual_changed_at_;
  }
  [[nodiscard]] Sample sample_of(const Domain& domain, MonotonicTime now, bool rebooted) const;
  [[nodiscard]] bool reaches_past_recent(Duration window) const;
  template <class Visit>
  void each_evenly(Field field, Duration window, Visit visit) const;
  template <class Visit>
  void each_at_all(Field field, Duration window, Visit visit) const;

  Uuid uuid_;
  int id_ = 0;
  bool is_new_ = true;
  std::optional<MemorySize> before_first_move_;
  MemorySize last_actual_;
  MonotonicTime actual_changed_at_{};
  std::optional<BalloonMove> last_move_;
  /// Its guest boots: until the driver has loaded, and reports, the balloon is empty, whatever size
  /// the hypervisor goes on telling.
  bool boots_ = false;
  bool told_to_shrink_ = false;  ///< and has not moved since
  bool ignores_shrinks_ = false;
  int looks_unmoved_ = 0;  ///< since it was first told
  std::optional<MoveInDoubt> in_doubt_;

  // What is being waited for since the last move, and by which clocks.
  bool reported_since_move_ = true;
  bool report_changed_since_move_ = false;
  MonotonicTime awaiting_since_{};
  WallTime awaiting_since_wall_time_{};

  std::optional<MonotonicTime> report_first_seen_at_;
  std::optional<MonotonicTime> report_not_before_;
  std::optional<MonotonicTime> deflated_by_itself_at_;
  std::optional<MonotonicTime> appeared_at_;
  std::optional<MonotonicTime> rebooted_at_;
  std::optional<MonotonicTime> last_started_at_;
  std::optional<MonotonicTime> last_restored_at_;
  std::optional<MemorySize> last_rss_;
  ProcessOverhead overhead_;
  /// What the guest's kernel keeps for itself of actual; none where its total does not follow.
  std::optional<MemorySize> kernel_share_;
  GuestStatistics last_report_;
  Counters before_fall_;  ///< those that the last report showed lower, as they were before
  SampleRing recent_;
  SampleRing older_;
};

/// How fast the host's memory goes, from look to look.
struct HostPace {
  MemorySize domains;        ///< that the domains' processes have come to hold since the last one
  MemorySize others;         ///< that everything else has taken since, swap included
  MemorySize others_before;  ///< the same of the look before
  Duration between{};        ///< the two looks
};

/// All domains' pasts. Bounded: a window in time, a number of samples. A domain that is missing
/// from an observation, or that was started again (Domain::id), is forgotten at once.
class History {
 public:
  /// The default holds an hour of a domain, ten seconds or a little more apart, in about 32 KiB;
  /// from some 2,800 domains on the samples stand further apart, so that all together stay under
  /// 90 MB.
  struct Bounds {
    Duration window = std::chrono::hours(1);
    std::size_t samples = 360;            ///< of one domain
    std::size_t all_samples = 1'000'000;  ///< of all domains together (88 bytes each)
  };
  History() = default;
  explicit History(Bounds bounds) : bounds_(bounds) {}

  /// Takes in what a snapshot shows; call it once a tick, before deciding.
  void observe(const Snapshot& snapshot);
  /// Takes in what was really set, or may have been, and when.
  void record(std::span<const Outcome> outcomes, MonotonicTime at, WallTime wall_time);
  /// Takes in what came of moves in doubt, and when that was learnt.
  void settle(std::span<const Outcome> late, MonotonicTime at, WallTime wall_time);
  /// Null where the domain has not been observed. Valid until the next observe().
  [[nodiscard]] const DomainHistory* find(const Uuid& uuid) const;
  /// The same for the domain at a position in the snapshot: without a search where that is the
  /// snapshot observed last, or one with the same domains.
  [[nodiscard]] const DomainHistory* find(const Uuid& uuid, std::size_t position) const {
    const bool there = position < pasts_.size() && pasts_[position].uuid_ == uuid;
    return there ? &pasts_[position] : find(uuid);
  }
  [[nodiscard]] std::size_t size() const { return pasts_.size(); }
  /// Whether any domain has been moved.
  [[nodiscard]] bool any_moved() const;
  /// Nothing before the second look.
  [[nodiscard]] const HostPace& host_pace() const { return host_pace_; }

 private:
  void line_up_with(const Snapshot& snapshot);
  void follow_host(const Snapshot& snapshot);

  /// What the host had to give, and what the domains held, at the newest look.
  struct HostLook {
    MemorySize obtainable;
    MemorySize held;
    std::optional<MemorySize> swap_free;
    MemorySize others;  ///< what everything else had taken since the look before
    MonotonicTime at{};
  };
  std::optional<HostLook> host_look_;
  HostPace host_pace_;
  Bounds bounds_;
  std::vector<DomainHistory> pasts_;  ///< in the order of the snapshot observed last
  std::unordered_map<Uuid, std::size_t> positions_;
};

}  // namespace memcoord
