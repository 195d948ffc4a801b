#pragma once
// What is remembered of each domain from tick to tick: a bounded window of samples, rates made
// from the guests' counters, and the last balloon move with what became of it.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>

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
  [[nodiscard]] const std::deque<Sample>& samples() const { return samples_; }
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
  /// A report newer than the last move has come in (true where there was no move).
  [[nodiscard]] bool reported_since_move() const { return reported_since_move_; }
  /// The guest was told to shrink and has not moved at all since.
  [[nodiscard]] bool ignores_shrinks() const;
  /// When the balloon was last seen to deflate by itself, past the target that was set.
  [[nodiscard]] std::optional<MonotonicTime> deflated_by_itself_at() const {
    return deflated_by_itself_at_;
  }
  /// What the domain may still grow to without being asked: the larger of actual and a target in
  /// flight.
  [[nodiscard]] MemorySize claim(const Domain& now) const;

 private:
  friend class History;
  std::deque<Sample> samples_;
  std::optional<BalloonMove> last_move_;
  std::optional<WallTime> last_report_;
  std::optional<MonotonicTime> report_changed_at_;
  std::optional<MonotonicTime> deflated_by_itself_at_;
  std::optional<MemorySize> last_rss_;
  bool reported_since_move_ = true;
  // Counters as last seen, for the rates.
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
    std::size_t samples = 360;
  };
  History() = default;
  explicit History(Bounds bounds) : bounds_(bounds) {}

  /// Takes in what a snapshot shows; call it once a tick, before deciding.
  void observe(const Snapshot& snapshot);
  /// Takes in what was really set.
  void record(std::span<const Outcome> outcomes, const Snapshot& snapshot);
  /// Null where the domain has not been observed. Valid until the next observe().
  [[nodiscard]] const DomainHistory* find(const Uuid& uuid) const;
  [[nodiscard]] std::size_t size() const { return domains_.size(); }

 private:
  Bounds bounds_;
  std::uint64_t generation_ = 0;
  std::unordered_map<Uuid, DomainHistory> domains_;
};

}  // namespace memcoord
