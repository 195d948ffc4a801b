// Weighted max-min fairness: the level rises for all alike, by weight, and whoever has what it
// wants drops out (Bertsekas and Gallager, Data Networks, section 6.5.2, "progressive filling").

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <vector>

#include "engine/core/guard.h"

namespace memcoord::guard {
namespace {

/// A want with its place, and the level at which it is served in full.
struct Wanting {
  MemorySize amount;
  double weight;
  double level;
  std::size_t place;
};

std::vector<Wanting> by_level(std::span<const Want> wants) {
  std::vector<Wanting> all;
  all.reserve(wants.size());
  for (std::size_t i = 0; i < wants.size(); ++i) {
    const double given = wants[i].weight;
    const double weight = std::isfinite(given) && given > 0 ? given : 1.0;
    all.push_back(
        {wants[i].amount, weight, static_cast<double>(wants[i].amount.kib()) / weight, i});
  }
  // Wants that are told apart by nothing but their place must not change any sum below.
  std::sort(all.begin(), all.end(), [](const Wanting& a, const Wanting& b) {
    return std::tie(a.level, a.weight, a.amount) < std::tie(b.level, b.weight, b.amount);
  });
  return all;
}

}  // namespace

std::vector<MemorySize> share_out(MemorySize total, std::span<const Want> wants) {
  const std::vector<Wanting> all = by_level(wants);
  // The weights from each place to the end, added up from the end so that none is ever negative.
  std::vector<double> weights(all.size() + 1);
  for (std::size_t i = all.size(); i-- > 0;) weights[i] = weights[i + 1] + all[i].weight;

  std::vector<MemorySize> shares(wants.size());
  MemorySize left = total;
  std::size_t served = 0;
  const auto fair = [&](const Wanting& one) {
    return left.scaled(std::min(1.0, one.weight / weights[served]));
  };
  for (; served < all.size(); ++served) {
    const Wanting& one = all[served];
    if (one.amount > fair(one)) break;
    shares[one.place] = std::min(one.amount, left);
    left -= shares[one.place];
  }
  // The level at which the first cannot be served in full is where all the others end, too.
  MemorySize unshared = left;
  for (std::size_t i = served; i < all.size(); ++i) {
    const MemorySize share = std::min({fair(all[i]), all[i].amount, unshared});
    shares[all[i].place] = share;
    unshared -= share;
  }
  return shares;
}

}  // namespace memcoord::guard
