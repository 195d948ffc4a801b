#include "engine/workbench/density.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

#include "engine/core/guard.h"
#include "engine/core/time.h"
#include "engine/workbench/density_hosts.h"
#include "engine/workbench/density_search.h"

namespace memcoord::workbench {
namespace {

using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;

/// A domain's demand as a plan. Rows of a step plan that change nothing become one.
Plan plan_of(const Trace& trace, const std::vector<MemorySize>& demand, Plan::Shape shape) {
  std::vector<Plan::Point> points;
  for (std::size_t i = 0; i < demand.size(); ++i) {
    const bool same =
        shape == Plan::Shape::step && !points.empty() && points.back().size == demand[i];
    // The run starts at the first row, whatever its time is.
    if (!same) points.push_back({Duration(trace.times[i] - trace.times.front()), demand[i]});
  }
  return {std::move(points), shape};
}

Duration duration_of(const Trace& trace) {
  const auto holds = holds_of(trace.times);
  return std::accumulate(holds.begin(), holds.end(), std::chrono::seconds());
}

/// Shares the memory that the domains leave of `capacity` among them.
void share_out_initial(Scenario& scenario, MemorySize capacity) {
  MemorySize left = capacity;
  std::vector<guard::Want> wants;
  for (const ScenarioDomain& domain : scenario.domains) {
    left -= domain.initial;
    wants.push_back({domain.maximum - domain.initial, 1.0});
  }
  const auto shares = guard::share_out(left, wants);
  for (std::size_t i = 0; i < shares.size(); ++i) scenario.domains[i].initial += shares[i];
}

/// Says of a run, while it goes on, when it is certain not to be served: what has stalled so far
/// and what the clairvoyant allocator would stall from now on are more than allowed together.
class CertainFailure {
 public:
  CertainFailure(const Trace& trace, const DemandOverTime& demand,
                 std::span<const std::size_t> chosen, const DensityOptions& options)
      : times_(trace.times),
        allowed_(options.stalled * static_cast<double>(chosen.size()) *
                 seconds_of(duration_of(trace))) {
    // Only a host that commits no more than it has leaves as many domains short as the bound. Along
    // a ramp the simulated host counts whole seconds, and the bound fractions of them.
    if (options.limits.overcommit > 1 || options.shape != Plan::Shape::step) return;
    to_come_ = clairvoyant_short_from(options.host, options.limits.host_floor, demand, chosen);
  }

  [[nodiscard]] bool has_come(const simulated::SimulatedHost& host) {
    double stalled = 0;
    int kills = host.score().oom_kills;
    for (const auto& domain : host.domains()) {
      stalled += domain.guest.score.stalled_seconds;
      kills += domain.guest.score.oom_kills;
    }
    return kills > 0 || host.score().breach_seconds > 0 || stalled > allowed_ ||
           stalled + to_come_from(host.now()) > allowed_ + kRounding;
  }

 private:
  static constexpr double kRounding = 1e-3;  ///< domain-seconds

  /// In the rows that begin at this moment or later.
  double to_come_from(Duration now) {
    if (to_come_.empty()) return 0;
    while (row_ < times_.size() && times_[row_] - times_.front() < now) ++row_;
    return to_come_[row_];
  }

  const std::vector<std::chrono::seconds>& times_;
  double allowed_;
  std::vector<double> to_come_;
  std::size_t row_ = 0;
};

/// The search for one order.
class OrderSearch {
 public:
  /// Called from several threads with the share of the order's work that is done; never less than
  /// before.
  using Progress = std::function<void(double share)>;

  /// `vms`: how many to run, if DensityOptions::vms is over 0.
  OrderSearch(const Trace& trace, const DemandOverTime& demand, const PolicyMaker& make_policy,
              const DensityOptions& options, std::vector<std::size_t> order, std::size_t vms,
              Progress progress)
      : trace_(trace),
        demand_(demand),
        make_policy_(make_policy),
        options_(options),
        order_(std::move(order)),
        vms_(vms),
        progress_(std::move(progress)) {}

  Result<DensityOrder> go();
  [[nodiscard]] std::size_t runs() const { return runs_; }

 private:
  using GiveUp = std::function<bool(const simulated::SimulatedHost&)>;

  /// Simulates the first `vms` domains to the end, or until `give_up`.
  Result<SimulationResult> run(std::size_t vms, const GiveUp& give_up);
  /// Simulates until the domains are not served, or for as long as the number `is_needed`.
  Result<SimulationResult> try_number(std::size_t vms, const std::function<bool()>& is_needed);
  Status try_numbers(std::span<const std::size_t> numbers, DensitySearch& search,
                     DensityOrder& found);
  [[nodiscard]] bool is_served_to_the_end(const SimulationResult& result) const;
  void add_baselines(DensityOrder& found) const;
  Status judge(std::size_t wanted, DensityOrder& found);
  Status search(DensityOrder& found);

  const Trace& trace_;
  const DemandOverTime& demand_;
  const PolicyMaker& make_policy_;
  const DensityOptions& options_;
  std::vector<std::size_t> order_;
  std::size_t vms_;
  Progress progress_;
  std::size_t runs_ = 0;
  double left_ = 1;    ///< the share of the work when the runs under way began
  double part_ = 0.5;  ///< how much of that they are
};

Result<SimulationResult> OrderSearch::run(std::size_t vms, const GiveUp& give_up) {
  auto policy = make_policy_();
  if (!policy) return fail(policy.error());
  SimulationWatch watch;
  watch.give_up = [&](const simulated::SimulatedHost& host) {
    const double share = seconds_of(host.now()) / seconds_of(host.scenario().duration);
    progress_(1 - left_ * (1 - share * part_));
    return give_up && give_up(host);
  };
  const SimulationOptions options{.interval = options_.interval,
                                  .min_interval = options_.min_interval,
                                  .limits = options_.limits};
  auto result =
      simulate(density_scenario(trace_, demand_.columns, std::span(order_).first(vms), options_),
               *std::move(policy), options, watch);
  if (result.first_policy_error) return fail(*result.first_policy_error);
  return result;
}

Result<SimulationResult> OrderSearch::try_number(std::size_t vms,
                                                 const std::function<bool()>& is_needed) {
  CertainFailure failure(trace_, demand_, std::span(order_).first(vms), options_);
  return run(vms, [&](const simulated::SimulatedHost& host) {
    return failure.has_come(host) || !is_needed();
  });
}

/// give_up() has not checked the time after the last tick; the score covers it.
bool OrderSearch::is_served_to_the_end(const SimulationResult& result) const {
  return !result.gave_up && is_served(result.score, options_.stalled);
}

/// Tries one number or two, the smaller one first, at once. Where the smaller one is not served,
/// the other does not count: how far it has been tried depends on the machine.
Status OrderSearch::try_numbers(std::span<const std::size_t> numbers, DensitySearch& search,
                                DensityOrder& found) {
  std::vector<std::optional<Result<SimulationResult>>> results(numbers.size());
  std::atomic<bool> first_failed = false;
  run_jobs(numbers.size(), options_.threads, [&](std::size_t i) {
    const auto is_needed = [&first_failed, i] { return i == 0 || !first_failed; };
    if (!is_needed()) return;
    results[i] = try_number(numbers[i], is_needed);
    if (i == 0) first_failed = !*results[i] || !is_served_to_the_end(**results[i]);
  });
  runs_ += numbers.size();
  left_ *= 1 - part_;
  const std::size_t count = first_failed ? 1 : numbers.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Result<SimulationResult>& result = *results[i];
    if (!result) return fail(result.error());
    if (is_served_to_the_end(*result)) {
      search.served(numbers[i], result->score.stalled);
      found.vms = numbers[i];
      found.score = result->score;
    } else {
      const bool by_stalls = is_served(result->score, 1);
      search.failed(numbers[i], by_stalls ? std::optional(result->score.stalled) : std::nullopt);
    }
  }
  return {};
}

void OrderSearch::add_baselines(DensityOrder& found) const {
  std::vector<MemorySize> provisioned;
  for (const std::size_t i : order_) provisioned.push_back(trace_.columns[i].provisioned);
  const Limits& limits = options_.limits;
  found.static_sizing = static_sizing(options_.host, limits.host_floor, provisioned);
  found.bound =
      clairvoyant_bound(options_.host, limits.host_floor, demand_, order_, options_.stalled);
  // It serves no more domains than the clairvoyant allocator.
  found.instant = instant_allocator(options_.host, limits, demand_, provisioned,
                                    std::span(order_).first(found.bound), options_.stalled);
}

Status OrderSearch::judge(std::size_t wanted, DensityOrder& found) {
  found.vms = std::clamp<std::size_t>(wanted, 1, order_.size());
  part_ = 1;
  runs_ = 1;
  const auto result = run(found.vms, {});
  if (!result) return fail(result.error());
  found.score = result->score;
  return {};
}

Status OrderSearch::search(DensityOrder& found) {
  DensitySearch search(found.instant, std::min(found.bound, order_.size()), options_.stalled);
  const bool pairs = options_.orders * options_.hosts == 1;
  for (auto numbers = search.next(pairs); !numbers.empty(); numbers = search.next(pairs)) {
    if (Status tried = try_numbers(numbers, search, found); !tried) return tried;
  }
  return {};
}

Result<DensityOrder> OrderSearch::go() {
  if (order_.empty()) return DensityOrder();
  DensityOrder found;
  add_baselines(found);
  const double filled = options_.fill * static_cast<double>(found.bound);
  Status done;
  if (options_.vms > 0) {
    if (vms_ > 0) done = judge(vms_, found);
  } else if (options_.fill > 0) {
    done = judge(static_cast<std::size_t>(std::lround(filled)), found);
  } else {
    done = search(found);
  }
  if (!done) return fail(done.error());
  return found;
}

/// The domains of a cell: those of its order that its host gets.
std::vector<std::size_t> domains_of(const DensityCell& cell, const Trace& trace,
                                    const DensityOptions& options) {
  auto order = random_order(trace.columns.size(), options.seed + cell.order);
  if (options.hosts == 1) return order;
  return std::move(deal(trace, order, options.hosts)[cell.host]);
}

/// How many domains of a cell to run, where that is given: the first DensityOptions::vms of the
/// order are on all hosts together.
std::size_t given_vms(const DensityCell& cell, const Trace& trace, const DensityOptions& options) {
  if (options.hosts == 1 || options.vms == 0) return options.vms;
  auto order = random_order(trace.columns.size(), options.seed + cell.order);
  order.resize(std::min(order.size(), options.vms));
  return deal(trace, order, options.hosts)[cell.host].size();
}

/// The figures of each order over all its cells.
std::vector<DensityOrder> orders_of(const std::vector<DensityCell>& cells, std::size_t orders) {
  std::vector<std::vector<DensityOrder>> hosts(orders);
  for (const DensityCell& cell : cells) hosts[cell.order].push_back(cell.figures);
  std::vector<DensityOrder> all;
  all.reserve(orders);
  for (const auto& of_order : hosts) {
    all.push_back(of_order.size() == 1 ? of_order.front() : together(of_order));
  }
  return all;
}

}  // namespace

DemandColumns demand_of(const Trace& trace, std::chrono::seconds footprint) {
  DemandColumns demand;
  demand.reserve(trace.columns.size());
  for (const TraceColumn& column : trace.columns) {
    demand.push_back(trailing_maximum(trace.times, column.used, footprint, column.provisioned));
    if (column.kernel.is_zero()) continue;
    for (MemorySize& size : demand.back()) size -= column.kernel;
  }
  return demand;
}

std::vector<std::size_t> random_order(std::size_t domains, std::uint64_t seed) {
  std::vector<std::size_t> order(domains);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  // std::shuffle differs between standard libraries.
  for (std::size_t left = domains; left > 1; --left) {
    std::swap(order[left - 1], order[random() % left]);
  }
  return order;
}

bool is_served(const Score& score, double stalled_limit) {
  return score.stalled <= stalled_limit && score.guest_oom == 0 && score.host_oom == 0 &&
         score.breach_seconds == 0;
}

Scenario density_scenario(const Trace& trace, const DemandColumns& demand,
                          std::span<const std::size_t> chosen, const DensityOptions& options) {
  Scenario scenario;
  scenario.name = "density";
  scenario.host_total = options.host;
  scenario.host_base = MemorySize();
  scenario.duration = duration_of(trace);
  scenario.seed = options.seed;
  // The same figures as in the clairvoyant bound, so that both can be compared.
  scenario.model.kernel_reserved = MemorySize();
  scenario.model.kernel_used = kKernelNeed;
  scenario.model.min_watermark = MemorySize();
  scenario.model.low_watermark = MemorySize();
  scenario.model.process_overhead = MemorySize();
  for (const std::size_t i : chosen) {
    ScenarioDomain domain;
    domain.name = trace.columns[i].name;
    domain.maximum = trace.columns[i].provisioned;
    domain.initial = std::min(domain.maximum, demand[i].front() + kKernelNeed);
    domain.swap = domain.maximum;  // demand that does not fit stalls the guest and does not kill it
    domain.demand = plan_of(trace, demand[i], options.shape);
    scenario.domains.push_back(std::move(domain));
  }
  share_out_initial(scenario, options.host - options.limits.host_floor);
  return scenario;
}

Result<DensityResult> density_of(const Trace& trace, const PolicyMaker& make_policy,
                                 const DensityOptions& options, const DensityProgress& progress) {
  const DemandOverTime demand{demand_of(trace, options.footprint), holds_of(trace.times),
                              options.shape};
  DensityResult result;
  result.available = trace.columns.size();
  const auto cells = options.shard.cells(options.orders * options.hosts);
  result.cells.resize(cells.size());
  std::optional<Error> error;
  std::mutex mutex;
  std::size_t done = 0;
  double share_of_all = 0;
  run_jobs(cells.size(), options.threads, [&](std::size_t i) {
    DensityCell& cell = result.cells[i];
    cell.order = cells[i] / options.hosts;
    cell.host = cells[i] % options.hosts;
    double shown = 0;
    const auto show = [&](double share) {
      if (!progress) return;
      const std::lock_guard lock(mutex);
      if (share <= shown) return;
      share_of_all += (share - std::exchange(shown, share)) / static_cast<double>(cells.size());
      progress(done, share_of_all);
    };
    OrderSearch search(trace, demand, make_policy, options, domains_of(cell, trace, options),
                       given_vms(cell, trace, options), show);
    auto found = search.go();
    {
      const std::lock_guard lock(mutex);
      ++done;
      result.runs += search.runs();
      if (found) {
        cell.figures = *found;
      } else if (!error) {
        error = found.error();
      }
    }
    show(1);
  });
  if (error) return fail(*error);
  result.orders = orders_of(result.cells, options.orders);
  return result;
}

}  // namespace memcoord::workbench
