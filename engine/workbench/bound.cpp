#include "engine/workbench/bound.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/core/guard.h"

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

/// The instant allocator's host, from step to step.
class InstantHost {
 public:
  InstantHost(MemorySize capacity, MemorySize domain_floor, std::span<const MemorySize> maximums)
      : capacity_(capacity),
        domain_floor_(domain_floor),
        maximums_(maximums),
        held_(maximums.size()) {}

  /// Moves memory to these needs; how many domains stay short.
  std::size_t move_to(const std::vector<MemorySize>& needs);

 private:
  MemorySize capacity_;
  MemorySize domain_floor_;
  std::span<const MemorySize> maximums_;
  std::vector<MemorySize> held_;
};

std::size_t InstantHost::move_to(const std::vector<MemorySize>& needs) {
  MemorySize left = capacity_;
  std::vector<std::pair<MemorySize, std::size_t>> missing;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    if (needs[i] <= held_[i]) {
      held_[i] = std::min(held_[i], needs[i] + domain_floor_);
    } else {
      missing.emplace_back(needs[i] - held_[i], i);
    }
    left -= held_[i];
  }
  std::sort(missing.begin(), missing.end());
  std::size_t still_short = missing.size();
  for (const auto& [size, i] : missing) {
    if (size > left) break;
    held_[i] = needs[i];
    left -= size;
    --still_short;
  }
  std::vector<guard::Want> wants;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    const bool is_served = needs[i] <= held_[i];
    wants.push_back({is_served ? maximums_[i] - held_[i] : MemorySize(), 1.0});
  }
  const auto shares = guard::share_out(left, wants);
  for (std::size_t i = 0; i < shares.size(); ++i) held_[i] += shares[i];
  return still_short;
}

std::size_t instant_short_steps(InstantHost host, const DemandColumns& demand,
                                std::span<const MemorySize> maximums,
                                std::span<const std::size_t> chosen) {
  const std::size_t steps = chosen.empty() ? 0 : demand[chosen.front()].size();
  std::size_t total = 0;
  std::vector<MemorySize> needs(chosen.size());
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      needs[i] = std::min(demand[chosen[i]][step] + kKernelNeed, maximums[i]);
    }
    total += host.move_to(needs);
  }
  return total;
}

/// The largest n whose missed steps are within the limit. The share need not rise with every domain
/// (a small one adds time without shortage), so the search goes down from the top.
template <class Missed>
std::size_t largest_within(const DemandColumns& demand, std::span<const std::size_t> order,
                           double stalled_limit, Missed missed) {
  for (std::size_t n = order.size(); n > 0; --n) {
    const double steps = static_cast<double>(demand[order.front()].size()) * static_cast<double>(n);
    if (static_cast<double>(missed(order.first(n))) <= stalled_limit * steps) return n;
  }
  return 0;
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
  return largest_within(demand, order, stalled_limit, [&](std::span<const std::size_t> chosen) {
    return short_steps(capacity, demand, chosen);
  });
}

std::size_t instant_allocator(MemorySize host, const Limits& limits, const DemandColumns& demand,
                              std::span<const MemorySize> maximums,
                              std::span<const std::size_t> order, double stalled_limit) {
  const MemorySize capacity = host - limits.host_floor;
  return largest_within(demand, order, stalled_limit, [&](std::span<const std::size_t> chosen) {
    const auto chosen_maximums = maximums.first(chosen.size());
    return instant_short_steps(InstantHost(capacity, limits.domain_floor, chosen_maximums), demand,
                               chosen_maximums, chosen);
  });
}

}  // namespace memcoord::workbench
