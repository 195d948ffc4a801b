#include "engine/workbench/simulation.h"

#include <algorithm>
#include <utility>

#include "engine/hypervisor/simulated/simulated_hypervisor.h"

namespace memcoord::workbench {
namespace {

class HoldEverything final : public Policy {
 public:
  [[nodiscard]] std::string name() const override { return "static"; }
  Result<PolicyAnswer> decide(const Situation& /*situation*/) override { return PolicyAnswer(); }
};

CoordinatorOptions coordinator_options(const SimulationOptions& options) {
  CoordinatorOptions result;
  result.limits = options.limits;
  result.dry_run = options.dry_run;
  result.release_wait = std::min<Duration>(result.release_wait, options.interval / 2);
  return result;
}

void count_tick(SimulationResult& result, const Tick& tick) {
  ++result.ticks;
  if (!tick.policy_error) return;
  if (result.policy_errors++ == 0) result.first_policy_error = tick.policy_error;
}

}  // namespace

std::unique_ptr<Policy> hold_everything() {
  return std::make_unique<HoldEverything>();
}

SimulationResult simulate(simulated::Scenario scenario, std::unique_ptr<Policy> policy,
                          const SimulationOptions& options, const SimulationWatch& watch) {
  simulated::VirtualClock clock;
  if (!options.keep_periods) simulated::shorten_periods(scenario, options.interval);
  simulated::SimulatedHypervisor hypervisor(std::move(scenario), clock, options.limits.host_floor);
  Coordinator coordinator(hypervisor, clock, std::move(policy), coordinator_options(options));
  for (Observer* observer : watch.observers) coordinator.add_observer(*observer);
  SimulationResult result;
  MonotonicTime due = clock.now();
  const MonotonicTime end = due + hypervisor.host().scenario().duration;
  while (!hypervisor.finished()) {
    const Tick tick = coordinator.tick();
    count_tick(result, tick);
    if (watch.tick) watch.tick(tick, hypervisor.host());
    if (watch.give_up && watch.give_up(hypervisor.host())) {
      result.gave_up = true;
      break;
    }
    due = std::max(due + options.interval, clock.now());
    // What comes after the scenario's end is not judged.
    clock.sleep_for(std::min(due, end) - clock.now());
  }
  hypervisor.catch_up();
  hypervisor.host().settle();
  if (watch.end) watch.end(hypervisor.host());
  result.score = score_of(hypervisor.host());
  return result;
}

}  // namespace memcoord::workbench
