#include "engine/workbench/clairvoyant.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "engine/core/guard.h"
#include "engine/workbench/moment_needs.h"

namespace memcoord::workbench {
namespace {

using simulated::kib;
using simulated::Plan;

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

/// For how many domain-seconds the clairvoyant allocator leaves domains short; some number over
/// `enough` where it is more than that.
double clairvoyant_short(MemorySize capacity, const DemandOverTime& demand,
                         std::span<const std::size_t> chosen, double enough) {
  double total = 0;
  std::optional<MomentNeeds> before;
  for (std::size_t row = 0; row < demand.holds.size() && total <= enough; ++row) {
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

/// For how many domain-seconds the instant allocator leaves domains short; some number over
/// `enough` where it is more than that.
double instant_short(InstantHost host, const DemandOverTime& demand,
                     std::span<const MemorySize> maximums, std::span<const std::size_t> chosen,
                     double enough) {
  double total = 0;
  std::vector<MemorySize> needs(chosen.size());
  for (std::size_t row = 0; row < demand.holds.size() && total <= enough; ++row) {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      needs[i] = std::min(demand.columns[chosen[i]][row] + kKernelNeed, maximums[i]);
    }
    total += static_cast<double>(host.move_to(needs)) * in_seconds(demand.holds[row]);
  }
  return total;
}

/// For how long the needs of the first n domains of an order exceed the capacity: at least one of
/// them is short then. A quick lower bound of every allocator's domain-seconds without enough
/// memory.
class TimeOverCapacity {
 public:
  /// `maximums`, in the sequence of `order`, cap the needs; none where it is empty.
  TimeOverCapacity(MemorySize capacity, const DemandOverTime& demand,
                   std::span<const std::size_t> order, std::span<const MemorySize> maximums)
      : capacity_(kib(capacity)),
        demand_(demand),
        order_(order),
        maximums_(maximums),
        sums_(demand.holds.size()) {
    for (std::size_t i = 0; i < order.size(); ++i) change_by(i, 1);
  }
  /// Leaves out the domain at a place of the order.
  void drop(std::size_t place) { change_by(place, -1); }
  /// While demand changes evenly, it exceeds the capacity all the time if it does at both ends.
  [[nodiscard]] double seconds() const {
    const bool ramps = demand_.shape == Plan::Shape::ramp;
    double total = 0;
    for (std::size_t row = 0; row < sums_.size(); ++row) {
      const std::size_t end = ramps ? std::min(row + 1, sums_.size() - 1) : row;
      if (std::min(sums_[row], sums_[end]) > capacity_) total += in_seconds(demand_.holds[row]);
    }
    return total;
  }

 private:
  void change_by(std::size_t place, double sign) {
    const auto& column = demand_.columns[order_[place]];
    const MemorySize most = maximums_.empty() ? MemorySize::largest() : maximums_[place];
    for (std::size_t row = 0; row < sums_.size(); ++row) {
      sums_[row] += sign * kib(std::min(column[row] + kKernelNeed, most));
    }
  }
  double capacity_;
  const DemandOverTime& demand_;
  std::span<const std::size_t> order_;
  std::span<const MemorySize> maximums_;
  std::vector<double> sums_;  ///< whole numbers of KiB: adding and subtracting loses nothing
};

/// The largest n for which `short_time` (domain-seconds) of the first n domains is within the
/// limit. The share does not always rise with n (a small domain adds time without shortage), so the
/// search counts down.
template <class ShortTime>
std::size_t largest_within(TimeOverCapacity over, const DemandOverTime& demand,
                           std::span<const std::size_t> order, double stalled_limit,
                           ShortTime short_time) {
  const auto& holds = demand.holds;
  const double seconds =
      in_seconds(std::accumulate(holds.begin(), holds.end(), std::chrono::seconds()));
  for (std::size_t n = order.size(); n > 0; over.drop(--n)) {
    const double allowed = stalled_limit * seconds * static_cast<double>(n);
    if (over.seconds() > allowed) continue;
    if (short_time(order.first(n), allowed) <= allowed) return n;
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

std::size_t clairvoyant_bound(MemorySize host, MemorySize host_floor, const DemandOverTime& demand,
                              std::span<const std::size_t> order, double stalled_limit) {
  const MemorySize capacity = host - host_floor;
  return largest_within(TimeOverCapacity(capacity, demand, order, {}), demand, order, stalled_limit,
                        [&](std::span<const std::size_t> chosen, double enough) {
                          return clairvoyant_short(capacity, demand, chosen, enough);
                        });
}

std::vector<double> clairvoyant_short_from(MemorySize host, MemorySize host_floor,
                                           const DemandOverTime& demand,
                                           std::span<const std::size_t> chosen) {
  std::vector<double> from(demand.holds.size() + 1);
  for (std::size_t row = demand.holds.size(); row-- > 0;) {
    const MomentNeeds now = needs_in_row(demand.columns, chosen, row, host - host_floor);
    from[row] =
        from[row + 1] + static_cast<double>(now.fewest_short()) * in_seconds(demand.holds[row]);
  }
  return from;
}

std::size_t instant_allocator(MemorySize host, const Limits& limits, const DemandOverTime& demand,
                              std::span<const MemorySize> maximums,
                              std::span<const std::size_t> order, double stalled_limit) {
  const MemorySize capacity = host - limits.host_floor;
  return largest_within(TimeOverCapacity(capacity, demand, order, maximums), demand, order,
                        stalled_limit, [&](std::span<const std::size_t> chosen, double enough) {
                          const auto chosen_maximums = maximums.first(chosen.size());
                          return instant_short(
                              InstantHost(capacity, limits.domain_floor, chosen_maximums), demand,
                              chosen_maximums, chosen, enough);
                        });
}

}  // namespace memcoord::workbench
