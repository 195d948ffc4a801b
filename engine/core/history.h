#pragma once
// The past of all domains in bounded memory: for each domain its samples, which policies ask about,
// and its balloon tracker, which the guard decides by.

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/core/balloon_tracker.h"
#include "engine/core/decision.h"
#include "engine/core/snapshot.h"

namespace memcoord {

/// The figures of a sample. Sizes count in KiB, rates in KiB or faults a second.
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
  larger,  ///< of unused and usable; not stored
};
inline constexpr std::size_t kFieldCount = 10;
/// The field of a domain's headroom by a metric; Field::unused where its guest reports no usable.
inline Field headroom_field(const Domain& domain, Headroom kind) {
  if (kind == Headroom::larger) return Field::larger;
  return counted(domain, kind) == Headroom::usable ? Field::usable : Field::unused;
}

/// One domain's figures at one tick, as numbers; NaN where the guest did not report one.
struct Sample {
  MonotonicTime at{};
  double values[kFieldCount] = {};
  [[nodiscard]] double operator[](Field field) const {
    // std::fmax passes over NaN.
    if (field == Field::larger) return std::fmax((*this)[Field::unused], (*this)[Field::usable]);
    return values[static_cast<std::size_t>(field)];
  }
};

/// The newest samples of one domain, oldest first, in one block of memory that grows up to its
/// capacity and is then reused in a circle.
class SampleRing {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// 0 is the oldest.
  [[nodiscard]] const Sample& operator[](std::size_t i) const { return slots_[slot(i)]; }
  [[nodiscard]] const Sample& back() const { return (*this)[size_ - 1]; }

  /// A smaller capacity than before drops the oldest samples and frees their memory.
  void push(const Sample& sample, std::size_t capacity);
  void drop_older_than(MonotonicTime oldest) {
    while (size_ > 1 && slots_[first_].at < oldest) drop_oldest();
  }

 private:
  // A division for each access would be most of its cost.
  [[nodiscard]] std::size_t slot(std::size_t i) const {
    const std::size_t at = first_ + i;
    return at < slots_.size() ? at : at - slots_.size();
  }
  void drop_oldest() {
    first_ = first_ + 1 == slots_.size() ? 0 : first_ + 1;
    --size_;
  }
  void resize(std::size_t slots);

  std::vector<Sample> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

/// One domain's samples. All of its newest ones are kept; of the older ones, samples at even
/// distances over the whole window. So questions about an hour and about ten seconds are both
/// answered from samples that stand equally far apart.
class DomainSamples {
 public:
  /// How much of the past is kept.
  struct Retention {
    std::size_t recent = 0;  ///< samples
    std::size_t older = 0;   ///< samples
    Duration window{};
    Duration distance{};  ///< of the older samples from each other
  };
  void observe(const Domain& domain, const CounterRates& rates, MonotonicTime at,
               const Retention& retention);

  [[nodiscard]] bool empty() const { return recent_.empty(); }
  /// All of the newest samples.
  [[nodiscard]] const SampleRing& recent() const { return recent_; }
  /// How many samples a walk over the past can touch.
  [[nodiscard]] std::size_t count() const { return recent_.size() + older_.size(); }
  /// The newest sample; there is one once the domain has been observed.
  [[nodiscard]] const Sample& latest() const { return recent_.back(); }

  // Over the samples of the last `window`, the newest included. Samples that lack the figure are
  // passed over; none where all lack it.
  [[nodiscard]] std::optional<double> average(Field field, Duration window) const;
  [[nodiscard]] std::optional<double> maximum(Field field, Duration window) const;
  [[nodiscard]] std::optional<double> minimum(Field field, Duration window) const;
  /// By linear interpolation between ranks; q within 0..1.
  [[nodiscard]] std::optional<double> quantile(Field field, double q, Duration window) const;
  /// Least-squares slope, a second; none with fewer than two samples.
  [[nodiscard]] std::optional<double> slope(Field field, Duration window) const;

 private:
  [[nodiscard]] bool reaches_past_recent(Duration window) const;
  template <class Visit>
  void each_evenly(Field field, Duration window, Visit visit) const;
  template <class Visit>
  void each_at_all(Field field, Duration window, Visit visit) const;

  SampleRing recent_;
  SampleRing older_;
};

/// One domain's past.
struct DomainHistory {
  Uuid uuid;
  BalloonTracker balloon;
  DomainSamples samples;
};

/// How fast the host's free memory falls from observation to observation. Where observations are
/// less than a second apart, those of a second count together.
struct HostPace {
  MemorySize domains;  ///< taken by the domains' processes since the last observation
  MemorySize others;   ///< taken by everything else since, swap included
  /// The same at the observation before. Where an observation lies in between, also the less of
  /// what they took before and after it, as of the whole time.
  MemorySize others_before;
  Duration between{};  ///< the time between the two observations
};

/// The past of all domains. Bounded by a window in time and a number of samples. A domain that is
/// missing from an observation, or that was started again (Domain::id), is forgotten at once.
class History {
 public:
  /// The default holds an hour of a domain, samples ten seconds or a little more apart, in about 32
  /// KiB. From some 2,800 domains on samples stand further apart, so that all together stay under
  /// 90 MB.
  struct Bounds {
    Duration window = std::chrono::hours(1);
    std::size_t samples = 360;            ///< of one domain
    std::size_t all_samples = 1'000'000;  ///< of all domains together (88 bytes each)
  };
  History() = default;
  explicit History(Bounds bounds) : bounds_(bounds) {}

  /// Records what a snapshot shows. Call it once a tick, before deciding.
  void observe(const Snapshot& snapshot);
  /// Records the targets that were set, or may have been, and when.
  void record(std::span<const Outcome> outcomes, MonotonicTime at, WallTime wall_time);
  /// Records the outcomes of moves in doubt, and when they were learnt.
  void settle(std::span<const Outcome> late, MonotonicTime at, WallTime wall_time);
  /// Null where the domain has not been observed. Valid until the next observe().
  [[nodiscard]] const DomainHistory* find(const Uuid& uuid) const;
  /// The past of the domain at a position in a snapshot, without a search where that is the
  /// snapshot observed last, or one with the same domains. An empty past where the domain has not
  /// been observed. Valid until the next observe().
  [[nodiscard]] const DomainHistory& of(const Domain& domain, std::size_t position) const {
    const bool there = position < pasts_.size() && pasts_[position].uuid == domain.uuid();
    return there ? pasts_[position] : search(domain.uuid());
  }
  [[nodiscard]] std::size_t size() const { return pasts_.size(); }
  /// Whether any domain has been moved.
  [[nodiscard]] bool any_moved() const;
  /// Zero before the second observation.
  [[nodiscard]] const HostPace& host_pace() const { return host_pace_; }

 private:
  [[nodiscard]] const DomainHistory& search(const Uuid& uuid) const;
  [[nodiscard]] DomainSamples::Retention retention(std::size_t domains) const;
  void line_up_with(const Snapshot& snapshot);
  void follow_host(const Snapshot& snapshot);

  /// What the host had to give, and what the domains held, at the newest observation.
  struct HostObservation {
    MemorySize obtainable;
    MemorySize resident;
    std::optional<MemorySize> swap_free;
    MemorySize others;  ///< what everything else had taken since the observation before
    MonotonicTime at{};
  };
  /// The newest, and those of the second before it, oldest first.
  std::vector<HostObservation> host_;
  const HostObservation* host_before(MonotonicTime now);
  static MemorySize taken_by_others(const HostObservation& before, const HostObservation& now);
  HostPace host_pace_;
  Bounds bounds_;
  std::vector<DomainHistory> pasts_;  ///< in the order of the snapshot observed last
  std::unordered_map<Uuid, std::size_t> positions_;
};

}  // namespace memcoord
