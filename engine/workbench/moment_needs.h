#pragma once
// The fewest domains that go short at one moment, whatever an allocator does.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

namespace memcoord::workbench {

/// Domains' needs at one moment, and the memory that the host can give them, in KiB.
class MomentNeeds {
 public:
  MomentNeeds(std::vector<double> needs, double capacity)
      : needs_(std::move(needs)),
        capacity_(capacity),
        sum_(std::accumulate(needs_.begin(), needs_.end(), 0.0)) {
    if (sum_ <= capacity_) return;
    sort_falling();
    for (double left = sum_; left > capacity_ && fewest_short_ < needs_.size(); ++fewest_short_) {
      left -= needs_[fewest_short_];
    }
  }

  /// The number of domains, those with the largest needs, that must go short so that the others
  /// fit.
  [[nodiscard]] std::size_t fewest_short() const { return fewest_short_; }
  /// By how much all needs together exceed the capacity; 0 if they fit.
  [[nodiscard]] double shortfall() const { return std::max(0.0, sum_ - capacity_); }
  /// By how much the needs exceed the capacity without the `n` largest; negative if they fit.
  [[nodiscard]] double excess(std::size_t n) {
    sort_falling();
    return std::accumulate(needs_.begin() + static_cast<std::ptrdiff_t>(n), needs_.end(),
                           -capacity_);
  }

 private:
  void sort_falling() { std::sort(needs_.begin(), needs_.end(), std::greater<>()); }

  std::vector<double> needs_;
  double capacity_;
  double sum_;
  std::size_t fewest_short_ = 0;
};

}  // namespace memcoord::workbench
