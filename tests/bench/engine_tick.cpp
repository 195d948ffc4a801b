// Measures the engine's part of a tick: all of it except the hypervisor's sample() and apply().
//
//   engine_tick [--benchmark_filter=REGEX ...]     Google Benchmark's options
//
// Each line's time is that of one tick; the counter is domain-ticks per second.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <memory>

#include "bindings/lua_policy.h"
#include "engine/control/run_state.h"
#include "engine/core/coordinator.h"
#include "engine/metrics/metrics.h"
#include "tests/bench/busy_host.h"
#include "tests/world/fakes.h"

namespace {

using namespace memcoord;
using Clock = std::chrono::steady_clock;

std::unique_ptr<Policy> policy(const std::string& name) {
  auto loaded = bindings::LuaPolicy::load(std::string(MEMCOORD_POLICIES) + "/" + name + ".lua");
  if (!loaded) {
    std::cerr << "engine_tick: " << loaded.error().text() << '\n';
    std::exit(1);
  }
  return std::move(*loaded);
}

/// Proposes nothing: the time is that of the core.
class IdlePolicy final : public Policy {
 public:
  [[nodiscard]] std::string name() const override { return "idle"; }
  Result<PolicyAnswer> decide(const Situation&) override { return PolicyAnswer{}; }
};

/// Proposes to move every domain in every tick: the most work for the guard.
class RestlessPolicy final : public Policy {
 public:
  [[nodiscard]] std::string name() const override { return "restless"; }
  Result<PolicyAnswer> decide(const Situation& situation) override {
    PolicyAnswer answer;
    bool grow = situation.tick % 2 == 0;
    for (const Domain& domain : situation.snapshot.domains) {
      grow = !grow;
      const MemorySize step = MemorySize::from_mib(32);
      answer.proposals.push_back(
          {domain.uuid(), grow ? domain.actual + step : domain.actual - step, "always moving"});
    }
    return answer;
  }
};

/// Runs ticks, two seconds apart, and measures them without the host's own time.
void run(benchmark::State& state, std::unique_ptr<Policy> policy, Observer* observer = nullptr) {
  test::FakeClock clock;
  const auto domains = static_cast<std::size_t>(state.range(0));
  bench::BusyHost host(clock, domains);
  Coordinator coordinator(host, clock, std::move(policy), {});
  if (observer != nullptr) coordinator.add_observer(*observer);
  const auto tick = [&] {
    clock.sleep_for(std::chrono::seconds(2));
    (void)host.take_own_time();
    const auto start = Clock::now();
    const Tick done = coordinator.tick();
    const auto whole = Clock::now() - start;
    if (done.policy_error) {
      std::cerr << "engine_tick: " << done.policy_error->text() << '\n';
      std::exit(1);
    }
    return std::chrono::duration<double>(whole - host.take_own_time()).count();
  };
  // Until histories are full and their size is constant.
  for (int i = 0; i < 400; ++i) (void)tick();
  for (auto _ : state) state.SetIterationTime(tick());
  state.counters["domains/s"] = benchmark::Counter(static_cast<double>(domains),
                                                   benchmark::Counter::kIsIterationInvariantRate);
}

void halving(benchmark::State& state) {
  run(state, policy("halving"));
}
/// With the copy of each tick that the control socket serves.
void halving_served(benchmark::State& state) {
  control::RunState served;
  run(state, policy("halving"), &served);
}
/// With the figures that metrics are made of.
void halving_measured(benchmark::State& state) {
  metrics::RunMetrics measured("0.1", std::chrono::seconds(2), [] { return WallTime(); });
  run(state, policy("halving"), &measured);
}
void adaptive(benchmark::State& state) {
  run(state, policy("adaptive"));
}
void core_alone(benchmark::State& state) {
  run(state, std::make_unique<IdlePolicy>());
}
void every_domain_moves(benchmark::State& state) {
  run(state, std::make_unique<RestlessPolicy>());
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseManualTime()->Unit(benchmark::kMicrosecond);
  for (const int domains : {10, 100, 1000, 10000}) benchmark->Arg(domains);
}

BENCHMARK(halving)->Apply(sizes);
BENCHMARK(halving_served)->Apply(sizes);
BENCHMARK(halving_measured)->Apply(sizes);
BENCHMARK(adaptive)->Apply(sizes);
BENCHMARK(core_alone)->Apply(sizes);
BENCHMARK(every_domain_moves)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
