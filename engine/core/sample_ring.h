#pragma once
// Past figures of one domain, in a bounded piece of memory.

#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/core/time.h"

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
  larger,  ///< of unused and usable; not stored
};
inline constexpr std::size_t kFieldCount = 10;

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

/// The newest samples of one domain, oldest first, in one piece of memory that grows up to its
/// capacity and is then used in a circle.
class SampleRing {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// 0 is the oldest.
  [[nodiscard]] const Sample& operator[](std::size_t i) const { return slots_[slot(i)]; }
  [[nodiscard]] const Sample& back() const { return (*this)[size_ - 1]; }

  /// With a smaller capacity than before the oldest samples go, and their memory with them.
  void push(const Sample& sample, std::size_t capacity);
  void drop_older_than(MonotonicTime oldest) {
    while (size_ > 1 && slots_[first_].at < oldest) drop_oldest();
  }

 private:
  // A division for each would be most of what looking at a sample costs.
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

}  // namespace memcoord
