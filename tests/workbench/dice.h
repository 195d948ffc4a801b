#pragma once
// Random whole numbers that are the same on every machine: the standard's engine without its
// distributions, whose results differ between libraries.

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace memcoord::testing {

class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t number)
      : random_(seed * 0x9E3779B97F4A7C15U + number * 0xBF58476D1CE4E5B9U) {}

  /// From `least` to `most`, both included, each as likely.
  std::int64_t between(std::int64_t least, std::int64_t most) {
    const auto count = static_cast<std::uint64_t>(most - least) + 1;
    return least + static_cast<std::int64_t>(random_() % count);
  }
  /// From `least` (over 0) to `most`: each doubling is as likely as the next.
  std::int64_t spread(std::int64_t least, std::int64_t most) {
    std::int64_t doublings = 0;
    while ((least << doublings) < most) ++doublings;
    if (doublings == 0) return least;
    while (true) {
      const std::int64_t from = least << between(0, doublings - 1);
      const std::int64_t drawn = between(from, 2 * from - 1);
      if (drawn <= most) return drawn;
    }
  }
  /// True in `percent` of a hundred.
  bool chance(std::int64_t percent) { return between(1, 100) <= percent; }
  template <class T>
  const T& one_of(std::span<const T> items) {
    return items[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(items.size()) - 1))];
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace memcoord::testing
