#include "engine/workbench/clairvoyant.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "engine/core/guard.h"
#include "engine/core/time.h"

namespace memcoord::workbench {
namespace {

using simulated::kib;
using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;

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

  [[nodiscard]] std::size_t count() const { return needs_.size(); }
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

MomentNeeds needs_in_row(const DemandColumns& demand, std::span<const std::size_t> chosen,
                         std::size_t row, MemorySize capacity) {
  std::vector<double> needs;
  needs.reserve(chosen.size());
  for (const std::size_t domain : chosen) needs.push_back(kib(demand[domain][row] + kKernelNeed));
  return {std::move(needs), kib(capacity)};
}

/// The mean number of domains that are short between two rows while demand changes evenly from one
/// to the other. excess(n) is concave over that time (a sum of linear functions less the largest of
/// them), so it stays above 0 for at least as long as the straight line between its ends: no
/// allocator does better.
double fewest_short_between(MomentNeeds& a, MomentNeeds& b) {
  const auto [least, most] = std::minmax({a.fewest_short(), b.fewest_short()});
  auto mean = static_cast<double>(least);
  for (std::size_t n = least; n < most; ++n) {
    const auto [under, over] = std::minmax({a.excess(n), b.excess(n)});
    if (over > 0) mean += over / (over - std::min(under, 0.0));
  }
  return mean;
}

double in_seconds(std::chrono::seconds time) {
  return static_cast<double>(time.count());
}

/// For how many domain-seconds the clairvoyant allocator leaves domains short.
double clairvoyant_short(MemorySize capacity, const DemandOverTime& demand,
                         std::span<const std::size_t> chosen) {
  double total = 0;
  std::optional<MomentNeeds> before;
  for (std::size_t row = 0; row < demand.holds.size(); ++row) {
    MomentNeeds now = needs_in_row(demand.columns, chosen, row, capacity);
    if (demand.shape == Plan::Shape::ramp && before) {
      total += fewest_short_between(*before, now) * in_seconds(demand.holds[row - 1]);
    }
    if (demand.shape == Plan::Shape::step || row + 1 == demand.holds.size()) {
      total += static_cast<double>(now.fewest_short()) * in_seconds(demand.holds[row]);
    }
    before = std::move(now);
  }
  return total;
}

/// The instant allocator's host: each domain's memory, from row to row.
class InstantHost {
 public:
  InstantHost(MemorySize capacity, MemorySize domain_floor, std::span<const MemorySize> maximums)
      : capacity_(capacity),
        domain_floor_(domain_floor),
        maximums_(maximums),
        held_(maximums.size()) {}

  /// Moves memory to meet these needs; returns how many domains stay short.
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

/// For how many domain-seconds the instant allocator leaves domains short.
double instant_short(InstantHost host, const DemandOverTime& demand,
                     std::span<const MemorySize> maximums, std::span<const std::size_t> chosen) {
  double total = 0;
  std::vector<MemorySize> needs(chosen.size());
  for (std::size_t row = 0; row < demand.holds.size(); ++row) {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      needs[i] = std::min(demand.columns[chosen[i]][row] + kKernelNeed, maximums[i]);
    }
    total += static_cast<double>(host.move_to(needs)) * in_seconds(demand.holds[row]);
  }
  return total;
}

/// The largest n for which `short_time` (domain-seconds) of the first n domains is within the
/// limit. The share does not always rise with n (a small domain adds time without shortage), so the
/// search counts down.
template <class ShortTime>
std::size_t largest_within(const DemandOverTime& demand, std::span<const std::size_t> order,
                           double stalled_limit, ShortTime short_time) {
  const auto& holds = demand.holds;
  const double seconds =
      in_seconds(std::accumulate(holds.begin(), holds.end(), std::chrono::seconds()));
  for (std::size_t n = order.size(); n > 0; --n) {
    if (short_time(order.first(n)) <= stalled_limit * seconds * static_cast<double>(n)) return n;
  }
  return 0;
}

bool is_running(const ScenarioDomain& domain, Duration at) {
  return at >= domain.start && (!domain.stop || at < *domain.stop);
}

/// The needs of a scenario's running domains at one moment. `cursors`: see Plan::at().
MomentNeeds needs_at(const Scenario& scenario, const Limits& limits, Duration at,
                     std::vector<std::size_t>& cursors) {
  const simulated::Model& model = scenario.model;
  const double kernel = simulated::kernel(model);
  std::vector<double> needs;
  double overhead = 0;
  for (std::size_t i = 0; i < scenario.domains.size(); ++i) {
    const ScenarioDomain& domain = scenario.domains[i];
    if (!is_running(domain, at)) continue;
    needs.push_back(std::min(domain.demand.at(at, cursors[i]) + kernel, kib(domain.maximum)));
    overhead += kib(domain.process_overhead.value_or(model.process_overhead));
  }
  const double host = kib(scenario.host_total) - kib(scenario.host_base) - kib(limits.host_floor);
  return {std::move(needs), host - overhead};
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

std::size_t clairvoyant_bound(MemorySize host, MemorySize host_floor, const DemandOverTime& demand,
                              std::span<const std::size_t> order, double stalled_limit) {
  const MemorySize capacity = host - host_floor;
  return largest_within(demand, order, stalled_limit, [&](std::span<const std::size_t> chosen) {
    return clairvoyant_short(capacity, demand, chosen);
  });
}

std::size_t instant_allocator(MemorySize host, const Limits& limits, const DemandOverTime& demand,
                              std::span<const MemorySize> maximums,
                              std::span<const std::size_t> order, double stalled_limit) {
  const MemorySize capacity = host - limits.host_floor;
  return largest_within(demand, order, stalled_limit, [&](std::span<const std::size_t> chosen) {
    const auto chosen_maximums = maximums.first(chosen.size());
    return instant_short(InstantHost(capacity, limits.domain_floor, chosen_maximums), demand,
                         chosen_maximums, chosen);
  });
}

Score clairvoyant_score(const Scenario& scenario, const Limits& limits) {
  constexpr Duration kStep = std::chrono::seconds(1);
  std::vector<std::size_t> cursors(scenario.domains.size());
  double short_seconds = 0;
  double shortfall = 0;  // KiB-seconds
  Score score;
  for (Duration at{}; at < scenario.duration; at += kStep) {
    const MomentNeeds needs = needs_at(scenario, limits, at, cursors);
    const Duration passed = std::min(kStep, scenario.duration - at);
    const double seconds = seconds_of(passed);
    score.domain_seconds += static_cast<double>(needs.count()) * seconds;
    short_seconds += static_cast<double>(needs.fewest_short()) * seconds;
    shortfall += needs.shortfall() * seconds;
  }
  if (score.domain_seconds > 0) score.stalled = short_seconds / score.domain_seconds;
  score.deficit = shortfall / (1024.0 * 1024.0) / 3600.0;
  return score;
}

}  // namespace memcoord::workbench
