// The clairvoyant bound of a scenario.
//
// A domain that is not short holds its need, and two things limit what domains hold.
//
// The guard lets a domain grow only while all domains' memory together fits the host, and a domain
// that has not grown holds at most its initial memory, which it brings whether the host has it or
// not. Suppose that the last grow was at some moment: the domains that had started by then fit the
// host, and those that started later hold their initial memory at most. The least shortage over all
// such moments is a bound.
//
// Domains that brought too much touch it, until the host runs out of memory. The simulated host
// then counts the largest as short until the others fit (SimulatedHost). This is the other bound:
// what the domains that are not short have touched fits the host without its floor.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/core/time.h"
#include "engine/workbench/clairvoyant.h"
#include "engine/workbench/moment_needs.h"

namespace memcoord::workbench {
namespace {

using simulated::kib;
using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;

constexpr Duration kStep = std::chrono::seconds(1);

/// One domain during one step, KiB.
struct Holder {
  Duration start{};
  double need = 0;
  double initial = 0;
  double own = 0;       ///< of its QEMU
  double touched = 0;   ///< the least of its memory that is resident, with its QEMU's
  bool pooled = false;  ///< its memory is not the ordinary one
};

/// A step's lower bounds on the domains that are short, and on the memory that is missing, KiB.
struct Shortage {
  double domains = 0;
  double missing = 0;
};

/// The least amount of a plan during a step, and during the simulator's own step after it: the
/// simulator takes a changing amount from the end of its step.
double least_of(const Plan& plan, Duration at, Duration passed, Duration simulated,
                std::size_t& cursor) {
  const double here = plan.at(at, cursor);
  if (plan.steady_until(at, cursor) >= at + passed) return here;
  std::size_t ahead = cursor;
  double least = std::min(here, plan.at(at + passed + simulated, ahead));
  for (std::size_t i = cursor; i <= ahead; ++i) {
    if (plan.points()[i].at > at) least = std::min(least, kib(plan.points()[i].size));
  }
  return least;
}

/// The domain runs during the whole step. The simulator may start it up to a step of its own late.
bool runs_during(const ScenarioDomain& domain, Duration at, Duration passed, Duration simulated) {
  const bool started = domain.start == Duration() || domain.start + simulated <= at;
  const bool paused = std::any_of(domain.faults.begin(), domain.faults.end(), [&](const auto& f) {
    return f.kind == simulated::Fault::Kind::paused && f.from < at + passed && at < f.until;
  });
  return started && !paused && (!domain.stop || *domain.stop >= at + passed);
}

/// The scenario's domains from step to step, in the order of their starts.
class Holders {
 public:
  explicit Holders(const Scenario& scenario)
      : scenario_(scenario),
        cursors_(scenario.domains.size()),
        touched_(scenario.domains.size()),
        order_(scenario.domains.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return scenario.domains[a].start < scenario.domains[b].start;
    });
  }

  [[nodiscard]] std::vector<Holder> during(Duration at, Duration passed) {
    std::vector<Holder> holders;
    for (const std::size_t i : order_) {
      const ScenarioDomain& domain = scenario_.domains[i];
      if (!runs_during(domain, at, passed, scenario_.model.largest_step)) continue;
      holders.push_back(holder_of(domain, at, passed, i));
    }
    return holders;
  }

 private:
  Holder holder_of(const ScenarioDomain& domain, Duration at, Duration passed, std::size_t i) {
    const simulated::Model& model = scenario_.model;
    const double demand = least_of(domain.demand, at, passed, model.largest_step, cursors_[i]);
    const double own = kib(domain.process_overhead.value_or(model.process_overhead));
    const double used = demand + kib(model.kernel_reserved) + kib(model.kernel_used);
    // Domains that run from the beginning have touched what they use then. The others touch more
    // during the step than they had at its beginning.
    const double most = std::min(used, kib(domain.maximum));
    const bool runs_already = domain.start == Duration() && at == Duration();
    const double touched = runs_already ? most : std::min(touched_[i], most);
    touched_[i] = std::min(touched + kib(model.touch_rate) * seconds_of(passed), most);
    return {domain.start,        std::min(demand + simulated::kernel(model), kib(domain.maximum)),
            kib(domain.initial), own,
            touched + own,       domain.hugepages};
  }

  const Scenario& scenario_;
  std::vector<std::size_t> cursors_;
  std::vector<double> touched_;  ///< of each domain at the end of the last step, KiB
  std::vector<std::size_t> order_;
};

/// The shortage if the first `grown` holders share the capacity and the others keep what they
/// started with.
Shortage shortage_of(const std::vector<Holder>& holders, std::size_t grown, double capacity) {
  Shortage shortage;
  std::vector<double> needs;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    const Holder& holder = holders[i];
    if (i < grown && !holder.pooled) {
      needs.push_back(holder.need);
      capacity -= holder.own;
    } else if (holder.need > holder.initial) {
      shortage.domains += 1;
      shortage.missing += holder.need - holder.initial;
    }
  }
  const MomentNeeds together(std::move(needs), capacity);
  shortage.domains += static_cast<double>(together.fewest_short());
  shortage.missing += together.shortfall();
  return shortage;
}

/// The least number of domains that the host's OOM killer has to end.
double fewest_ended(const std::vector<Holder>& holders, double memory) {
  std::vector<double> touched;
  touched.reserve(holders.size());
  for (const Holder& holder : holders) {
    touched.push_back(holder.pooled ? holder.own : holder.touched);
  }
  return static_cast<double>(MomentNeeds(std::move(touched), memory).fewest_short());
}

/// `capacity`: what the guard can give; `memory`: what the host has, with its floor and its swap.
Shortage least_shortage(const std::vector<Holder>& holders, double capacity, double memory) {
  Shortage least = shortage_of(holders, holders.size(), capacity);
  if (least.missing <= 0) return least;
  for (std::size_t grown = 0; grown < holders.size(); ++grown) {
    if (grown > 0 && holders[grown - 1].start == holders[grown].start) continue;
    const Shortage one = shortage_of(holders, grown, capacity);
    least.domains = std::min(least.domains, one.domains);
    least.missing = std::min(least.missing, one.missing);
  }
  least.domains = std::max(least.domains, fewest_ended(holders, memory));
  return least;
}

/// The most that domains and their QEMUs could have been given up to a moment: what the host itself
/// uses later does not take it back at once.
class Capacity {
 public:
  Capacity(const Scenario& scenario, const Limits& limits)
      : scenario_(scenario),
        fixed_(kib(scenario.host_total) - kib(scenario.host_base) - kib(scenario.host_hugepages) -
               kib(limits.host_floor)) {}

  [[nodiscard]] double by(Duration at) {
    most_ = std::max(most_, scenario_.host_merged.at(at, merged_cursor_) -
                                scenario_.host_use.at(at, use_cursor_));
    return fixed_ + most_;
  }

 private:
  const Scenario& scenario_;
  double fixed_;
  double most_ = std::numeric_limits<double>::lowest();
  std::size_t merged_cursor_ = 0;
  std::size_t use_cursor_ = 0;
};

double run_seconds(const Scenario& scenario) {
  double sum = 0;
  for (const ScenarioDomain& domain : scenario.domains) {
    const Duration stop = std::min(domain.stop.value_or(scenario.duration), scenario.duration);
    sum += std::max(0.0, seconds_of(stop - domain.start));
  }
  return sum;
}

}  // namespace

Score clairvoyant_score(const Scenario& scenario, const Limits& limits) {
  Holders holders(scenario);
  Capacity capacity(scenario, limits);
  Shortage sum;
  for (Duration at{}; at < scenario.duration; at += kStep) {
    const Duration passed = std::min(kStep, scenario.duration - at);
    const double most = capacity.by(at);
    const double memory = most + kib(limits.host_floor) + kib(scenario.host_swap);
    const Shortage shortage = least_shortage(holders.during(at, passed), most, memory);
    sum.domains += shortage.domains * seconds_of(passed);
    sum.missing += shortage.missing * seconds_of(passed);
  }
  // A run sums up the same seconds in another order: rounding must not raise the bound over it.
  constexpr double kLessRounding = 1 - 1e-9;
  Score score;
  score.domain_seconds = run_seconds(scenario);
  if (score.domain_seconds > 0) {
    score.stalled = kLessRounding * sum.domains / score.domain_seconds;
  }
  score.deficit = kLessRounding * sum.missing / (1024.0 * 1024.0) / 3600.0;
  return score;
}

}  // namespace memcoord::workbench
