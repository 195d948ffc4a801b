#include "engine/workbench/bound.h"

#include <algorithm>
#include <functional>

namespace memcoord::workbench {
namespace {

/// How many of these needs must go unmet for the rest to fit: the largest first.
std::size_t fewest_short(std::vector<MemorySize>& needs, MemorySize sum, MemorySize capacity) {
  if (sum <= capacity) return 0;
  std::sort(needs.begin(), needs.end(), std::greater<>());
  std::size_t left_out = 0;
  while (sum > capacity) sum -= needs[left_out++];
  return left_out;
}

std::size_t short_steps(MemorySize capacity, const DemandColumns& demand,
                        std::span<const std::size_t> chosen) {
  const std::size_t steps = chosen.empty() ? 0 : demand[chosen.front()].size();
  std::size_t total = 0;
  std::vector<MemorySize> needs;
  for (std::size_t step = 0; step < steps; ++step) {
    needs.clear();
    MemorySize sum;
    for (const std::size_t domain : chosen) {
      needs.push_back(demand[domain][step] + kKernelNeed);
      sum += needs.back();
    }
    total += fewest_short(needs, sum, capacity);
  }
  return total;
}

}  // namespace

std::size_t static_sizing(MemorySize host, MemorySize host_floor,
                          std::span<const MemorySize> provisioned) {
  const MemorySize capacity = host - host_floor;
  MemorySize sum;
  std::size_t n = 0;
  for (const MemorySize size : provisioned) {
    sum += size;
    if (sum > capacity) break;
    ++n;
  }
  return n;
}

std::size_t clairvoyant_bound(MemorySize host, MemorySize host_floor, const DemandColumns& demand,
                              std::span<const std::size_t> order, double stalled_limit) {
  const MemorySize capacity = host - host_floor;
  const auto within = [&](std::size_t n) {
    const double steps = static_cast<double>(demand[order.front()].size()) * static_cast<double>(n);
    const auto missed = short_steps(capacity, demand, order.first(n));
    return static_cast<double>(missed) <= stalled_limit * steps;
  };
  // The share need not rise with every domain (a small one adds time without shortage), so the
  // search goes down from the top.
  for (std::size_t n = order.size(); n > 0; --n) {
    if (within(n)) return n;
  }
  return 0;
}

}  // namespace memcoord::workbench
