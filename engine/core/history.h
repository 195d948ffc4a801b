#pragma once
// What is remembered of each domain from tick to tick: a bounded window of samples, rates made
// from the guests' counters, and the last balloon move with what became of it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/core/snapshot.h"
#include "engine/core/tick_parts.h"

namespace memcoord {

/// What a policy may ask the past about. Sizes count in KiB, rates in KiB or faults a second.
enum class Field {
  actual,
  available,
  unused,
  usable,
  disk_caches,
  rss,
  swap_in,
  swap_out,
  major_faults,
  minor_faults,
};
inline constexpr std::size_t kFieldCount = 10;

/// One domain's figures at one tick, as numbers; NaN where the guest did not report one.
struct Sample {
  MonotonicTime at{};
  double values[kFieldCount] = {};
  [[nodiscard]] double operator[](Field field) const {
    return values[static_cast<std::size_t>(field)];
  }
};

/// The newest samples of one domain, oldest first, in one piece of memory that grows up to its
/// capacity and is then used in a circle.
class SampleRing {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// 0 is the oldest.
  [[nodiscard]] const Sample& operator[](std::size_t i) const {
    return slots_[(first_ + i) % slots_.size()];
  }
  [[nodiscard]] const Sample& back() const { return (*this)[size_ - 1]; }

  void push(const Sample& sample, std::size_t capacity);
  void drop_older_than(MonotonicTime oldest);

 private:
  void drop_oldest();
  std::vector<Sample> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

/// The last target that was set, and how the guest follows it.
struct BalloonMove {
  MemorySize from;  ///< actual when it was set
  MemorySize target;
  MonotonicTime at{};
  WallTime wall_time{};
  bool reached = false;     ///< actual has been at the target since
  bool progressed = false;  ///< actual has moved towards it since
  int samples_since = 0;    ///< how many looks at the domain since then
};

/// One domain's past.
class DomainHistory {
 public:
  [[nodiscard]] const SampleRing& samples() const { return samples_; }
  /// The newest sample; there is always one once a domain has been observed.
  [[nodiscard]] const Sample& latest() const { return samples_.back(); }

  // Over the samples of the last `window`, the newest included; samples that lack the figure are
  // passed over; none where all lack it.
  [[nodiscard]] std::optional<double> average(Field field, Duration window) const;
  [[nodiscard]] std::optional<double> maximum(Field field, Duration window) const;
  [[nodiscard]] std::optional<double> minimum(Field field, Duration window) const;
  /// By linear interpolation between ranks; q within 0..1.
  [[nodiscard]] std::optional<double> quantile(Field field, double q, Duration window) const;
  /// Least-squares slope, a second; none with fewer than two samples.
  [[nodiscard]] std::optional<double> slope(Field field, Duration window) const;

  [[nodiscard]] const std::optional<BalloonMove>& last_move() const { return last_move_; }
  /// When the guest's report was last seen to change, on the monotonic clock: immune to steps of
  /// the wall clock and to the clocks of remote hosts.
  [[nodiscard]] std::optional<MonotonicTime> report_changed_at() const {
    return report_changed_at_;
  }
  /// A moment that the newest report is surely not older than, where it was seen to change: the
  /// look before the one that showed it.
  [[nodiscard]] std::optional<MonotonicTime> report_not_before() const {
    return report_not_before_;
  }
  /// A report newer than the last move has come in (true where there was no move).
  [[nodiscard]] bool reported_since_move() const { return reported_since_move_; }
  /// The guest was told to shrink and has not moved at all since.
  [[nodiscard]] bool ignores_shrinks() const;
  /// When the balloon was last seen to deflate by itself, past the target that was set.
  [[nodiscard]] std::optional<MonotonicTime> deflated_by_itself_at() const {
    return deflated_by_itself_at_;
  }
  /// When the guest was last seen to start or reboot: an event, or counters that went back.
  [[nodiscard]] std::optional<MonotonicTime> rebooted_at() const { return rebooted_at_; }
  /// The newest rss that was reported.
  [[nodiscard]] std::optional<MemorySize> last_rss() const { return last_rss_; }
  /// What the domain may hold without being asked again: the larger of actual and a grow in
  /// flight.
  [[nodiscard]] MemorySize claim(const Domain& now) const;

 private:
  friend class History;
  /// When a domain is looked at, and how much of its past is kept.
  struct Look {
    MonotonicTime at{};
    WallTime wall_time{};
    std::size_t capacity = 0;
    Duration window{};
  };
  void take(const Domain& domain, const Look& look);
  void await_report(WallTime since);
  void notice_foreign_move(const Domain& domain, WallTime wall_time);
  void notice_reboot(const Domain& domain, MonotonicTime now);
  void notice_self_deflation(const Domain& domain, MonotonicTime now);
  void follow_move(const Domain& domain);
  void follow_report(const Domain& domain, MonotonicTime now);
  [[nodiscard]] Sample sample_of(const Domain& domain, MonotonicTime now) const;
  [[nodiscard]] bool is_new_report(const GuestStatistics& guest) const;
  template <class Visit>
  void each_within(Field field, Duration window, Visit visit) const;

  SampleRing samples_;
  std::optional<BalloonMove> last_move_;
  std::optional<WallTime> awaiting_since_;
  std::optional<WallTime> last_report_;
  std::optional<MonotonicTime> report_changed_at_;
  std::optional<MonotonicTime> report_not_before_;
  std::optional<MonotonicTime> deflated_by_itself_at_;
  std::optional<MonotonicTime> rebooted_at_;
  std::optional<MonotonicTime> last_started_at_;
  std::optional<MemorySize> last_rss_;
  int reports_since_move_ = 0;
  bool reported_since_move_ = true;
  // The guest's newest report and when it was seen, for the rates.
  GuestStatistics last_guest_;
  MonotonicTime last_guest_at_{};
  MemorySize last_actual_;
  std::uint64_t generation_ = 0;
};

/// All domains' pasts. Bounded: a window in time, a number of samples, and domains that have gone
/// are forgotten.
class History {
 public:
  struct Bounds {
    Duration window = std::chrono::hours(1);
    std::size_t samples = 360;            ///< of one domain
    std::size_t all_samples = 1'000'000;  ///< of all domains together (about 90 bytes each)
  };
  History() = default;
  explicit History(Bounds bounds) : bounds_(bounds) {}

  /// Takes in what a snapshot shows; call it once a tick, before deciding.
  void observe(const Snapshot& snapshot);
  /// Takes in what was really set, and when.
  void record(std::span<const Outcome> outcomes, MonotonicTime at, WallTime wall_time);
  /// Null where the domain has not been observed. Valid until the next observe().
  [[nodiscard]] const DomainHistory* find(const Uuid& uuid) const;
  [[nodiscard]] std::size_t size() const { return domains_.size(); }

 private:
  Bounds bounds_;
  std::uint64_t generation_ = 0;
  std::unordered_map<Uuid, DomainHistory> domains_;
};

}  // namespace memcoord
