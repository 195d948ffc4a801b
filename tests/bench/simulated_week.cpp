// Measures a simulated run: a week of 120 VMs, a tick every 10 s, 7.3 million domain-ticks.
//
//   simulated_week [--benchmark_filter=REGEX ...]     Google Benchmark's options
//
// Each line is one run; the counter is domain-ticks per second. "hold" proposes nothing: its time
// is that of the simulator and the engine.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>

#include "bindings/lua_policy.h"
#include "engine/workbench/simulation.h"

namespace {

using namespace memcoord;
using simulated::Plan;

constexpr auto kSample = std::chrono::minutes(5);
constexpr int kSamples = 7 * 24 * 12;

/// A VM's week: a step every five minutes, most of them small, as in traces of real VMs.
Plan week(std::mt19937_64& random, MemorySize maximum) {
  std::vector<Plan::Point> points;
  std::uint64_t level = maximum.kib() / 10;
  for (int i = 0; i < kSamples; ++i) {
    const std::uint64_t dice = random() % 100;
    if (dice < 3) level = maximum.kib() / 20 + random() % (maximum.kib() / 2);
    if (dice > 60) level = level * (95 + random() % 11) / 100;
    points.push_back({kSample * i, MemorySize::from_kib(level)});
  }
  return {std::move(points), Plan::Shape::step};
}

simulated::Scenario scenario() {
  simulated::Scenario result;
  result.name = "week";
  result.host_total = MemorySize::from_gib(192);
  result.duration = kSample * kSamples;
  std::mt19937_64 random(1);
  for (int i = 0; i < 120; ++i) {
    simulated::ScenarioDomain domain;
    domain.name = "vm" + std::to_string(i);
    domain.maximum = MemorySize::from_gib(4);
    domain.initial = MemorySize::from_gib(1);
    domain.swap = MemorySize::from_gib(4);
    domain.demand = week(random, domain.maximum);
    result.domains.push_back(std::move(domain));
  }
  return result;
}

std::unique_ptr<Policy> policy(const std::string& name) {
  if (name == "hold") return workbench::hold_everything();
  auto loaded = bindings::LuaPolicy::load(std::string(MEMCOORD_POLICIES) + "/" + name + ".lua");
  if (!loaded) {
    std::cerr << "simulated_week: " << loaded.error().text() << '\n';
    std::exit(1);
  }
  return std::move(*loaded);
}

void run(benchmark::State& state, const std::string& name) {
  const simulated::Scenario week = scenario();
  std::uint64_t domain_ticks = 0;
  for (auto _ : state) {
    workbench::SimulationOptions options;
    options.interval = std::chrono::seconds(10);
    const auto result = workbench::simulate(week, policy(name), options);
    domain_ticks += result.ticks * week.domains.size();
  }
  state.counters["domain_ticks"] =
      benchmark::Counter(static_cast<double>(domain_ticks), benchmark::Counter::kIsRate);
}

}  // namespace

BENCHMARK_CAPTURE(run, hold, std::string("hold"))->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK_CAPTURE(run, halving, std::string("halving"))->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK_CAPTURE(run, adaptive, std::string("adaptive"))->Unit(benchmark::kSecond)->Iterations(1);

BENCHMARK_MAIN();
