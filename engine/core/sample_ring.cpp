#include "engine/core/sample_ring.h"

#include <algorithm>
#include <utility>

namespace memcoord {

void SampleRing::push(const Sample& sample, std::size_t capacity) {
  constexpr std::size_t kFewest = 4;
  capacity = std::max<std::size_t>(capacity, 2);
  if (slots_.size() > capacity) {
    while (size_ > capacity) drop_oldest();
    resize(capacity);
  } else if (size_ == slots_.size() && size_ < capacity) {
    // By half as much again, so that a young domain holds little.
    resize(std::min(capacity, std::max(kFewest, size_ + size_ / 2)));
  }
  if (size_ == slots_.size()) drop_oldest();
  slots_[slot(size_)] = sample;
  ++size_;
}

void SampleRing::resize(std::size_t slots) {
  std::vector<Sample> fresh(slots);
  for (std::size_t i = 0; i < size_; ++i) fresh[i] = (*this)[i];
  slots_ = std::move(fresh);
  first_ = 0;
}

}  // namespace memcoord
