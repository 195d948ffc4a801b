// Measures the text of /metrics.
//
//   metrics_text [--benchmark_filter=REGEX ...]     Google Benchmark's options
//
// Each line's time is the processor time of one text; the counter is its size in bytes.

#include <benchmark/benchmark.h>

#include <string>

#include "bindings/lua_policy.h"
#include "engine/core/coordinator.h"
#include "engine/metrics/metrics.h"
#include "tests/bench/busy_host.h"
#include "tests/world/fakes.h"

namespace {

using namespace memcoord;

void text(benchmark::State& state, metrics::Format format, metrics::Domains domains) {
  test::FakeClock clock;
  bench::BusyHost host(clock, static_cast<std::size_t>(state.range(0)));
  auto policy = bindings::LuaPolicy::load(std::string(MEMCOORD_POLICIES) + "/halving.lua");
  if (!policy) {
    state.SkipWithError(policy.error().text().c_str());
    return;
  }
  Coordinator coordinator(host, clock, *std::move(policy), {});
  metrics::RunMetrics metrics("0.1", std::chrono::seconds(2), [&] { return clock.wall_now(); });
  coordinator.add_observer(metrics);
  for (int i = 0; i < 5; ++i) {
    clock.sleep_for(std::chrono::seconds(2));
    coordinator.tick();
  }
  std::size_t size = 0;
  for (auto _ : state) {
    const std::string made = metrics.text(format, domains);
    benchmark::DoNotOptimize(made.data());
    size = made.size();
  }
  state.counters["bytes"] = static_cast<double>(size);
}

void prometheus(benchmark::State& state) {
  text(state, metrics::Format::prometheus, metrics::Domains::on);
}
void openmetrics(benchmark::State& state) {
  text(state, metrics::Format::openmetrics, metrics::Domains::on);
}
void prometheus_without_domains(benchmark::State& state) {
  text(state, metrics::Format::prometheus, metrics::Domains::off);
}

BENCHMARK(prometheus)->Unit(benchmark::kMillisecond)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK(openmetrics)->Unit(benchmark::kMillisecond)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK(prometheus_without_domains)->Unit(benchmark::kMillisecond)->Arg(1000);

}  // namespace

BENCHMARK_MAIN();
