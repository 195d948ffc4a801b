#include "engine/workbench/simulation.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "engine/core/tick_rhythm.h"
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
  result.interval = options.interval;
  result.reports_on_demand = !options.keep_periods;
  return result;
}

void count_tick(SimulationResult& result, const Tick& tick) {
  ++result.ticks;
  if (!tick.policy_error) return;
  if (result.policy_errors++ == 0) result.first_policy_error = tick.policy_error;
}

}  // namespace

Score score_of(const simulated::SimulatedHost& host) {
  constexpr double kKibPerGib = 1024.0 * 1024.0;
  constexpr double kSecondsPerHour = 3600.0;
  double stalled = 0;
  double deficit = 0;
  double need = 0;
  double spare = 0;
  double moved = 0;
  Score score;
  for (const simulated::SimulatedDomain& domain : host.domains()) {
    const simulated::GuestScore& one = domain.guest.score;
    score.domain_seconds += one.seconds;
    score.guest_oom += one.oom_kills;
    stalled += one.stalled_seconds;
    deficit += one.deficit_kib_seconds;
    need += one.need_kib_seconds;
    spare += one.spare_kib_seconds;
    moved += one.moved_kib;
  }
  score.host_oom = host.score().oom_kills;
  score.breach_seconds = host.score().breach_seconds;
  score.deficit = deficit / kKibPerGib / kSecondsPerHour;
  if (need > 0) score.overhead = spare / need;
  if (score.domain_seconds > 0) {
    score.stalled = stalled / score.domain_seconds;
    score.churn = moved / 1024.0 / (score.domain_seconds / kSecondsPerHour);
  }
  return score;
}

std::unique_ptr<Policy> hold_everything() {
  return std::make_unique<HoldEverything>();
}

SimulationResult simulate(simulated::Scenario scenario, std::unique_ptr<Policy> policy,
                          const SimulationOptions& options, const SimulationWatch& watch) {
  simulated::VirtualClock clock;
  simulated::SimulatedHypervisor hypervisor(std::move(scenario), clock, options.limits.host_floor);
  Coordinator coordinator(hypervisor, clock, std::move(policy), coordinator_options(options));
  for (Observer* observer : watch.observers) coordinator.add_observer(*observer);
  SimulationResult result;
  TickRhythm rhythm(options.interval, options.min_interval, clock.now());
  const MonotonicTime end = clock.now() + hypervisor.host().scenario().duration;
  while (!hypervisor.finished()) {
    const MonotonicTime began = clock.now();
    const Tick tick = coordinator.tick();
    count_tick(result, tick);
    if (watch.tick) watch.tick(tick, hypervisor.host());
    if (watch.give_up && watch.give_up(hypervisor.host())) {
      result.gave_up = true;
      break;
    }
    const TickRhythm::Next next = rhythm.next(tick, began, clock.now());
    result.early_ticks += next.early && next.due < end ? 1 : 0;
    if (next.budget_ends) coordinator.add_note(budget_note(tick));
    // The figures do not cover time after the scenario's end.
    clock.sleep_for(std::min(next.due, end) - clock.now());
  }
  hypervisor.catch_up();
  hypervisor.host().settle();
  if (watch.end) watch.end(hypervisor.host());
  result.score = score_of(hypervisor.host());
  return result;
}

void run_jobs(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& job) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) job(i);
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(work);
  work();
}

}  // namespace memcoord::workbench
