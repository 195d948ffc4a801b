#include "engine/workbench/recorded_scenario.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/core/coordinator.h"
#include "engine/workbench/density.h"
#include "engine/workbench/journal_demand.h"
#include "engine/workbench/simulation.h"
#include "tests/unit/workbench/set_all.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;
using simulated::Plan;

namespace {

/// Feeds a recorder with the ticks of a simulated run.
class RecordingObserver final : public Observer {
 public:
  void observe(const Tick& tick) override {
    if (const Status taken = recorder.take(tick); !taken) FAIL(taken.error().text());
  }
  DemandRecorder recorder;
};

/// Two guests that jump in turn on a host that has room for one of them.
simulated::Scenario turns() {
  simulated::Scenario scenario;
  scenario.host_total = 2200_MiB;
  scenario.duration = 60s;
  for (const auto& [name, from] : {std::pair{"a", 10s}, {"b", 35s}}) {
    simulated::ScenarioDomain domain;
    domain.name = name;
    domain.maximum = 2_GiB;
    domain.initial = 700_MiB;
    domain.swap = 2_GiB;
    domain.settings.weight = 2;
    domain.demand =
        Plan({{0s, 100_MiB}, {from, 900_MiB}, {from + 15s, 100_MiB}}, Plan::Shape::step);
    scenario.domains.push_back(std::move(domain));
  }
  return scenario;
}

Recording recording_of(const simulated::Scenario& scenario, std::unique_ptr<Policy> policy) {
  RecordingObserver observer;
  SimulationWatch watch;
  watch.observers.push_back(&observer);
  (void)simulate(scenario, std::move(policy), {}, watch);
  auto recording = observer.recorder.finish();
  if (!recording) FAIL(recording.error().text());
  return *std::move(recording);
}

Trace two_days() {
  Trace trace;
  for (int hour = 0; hour < 48; ++hour) trace.times.emplace_back(hour * 3600);
  TraceColumn column{"a", 2_GiB, std::vector<MemorySize>(48, 100_MiB), 50_MiB};
  column.used[0] = 1_GiB;     // the first midnight
  column.used[24] = 600_MiB;  // the second
  trace.columns.push_back(std::move(column));
  return trace;
}

}  // namespace

TEST_CASE("a recorded host is simulated with its size, its own use and its domains' settings") {
  const auto original = turns();
  const auto recording = recording_of(original, hold_everything());
  const auto scenario = recorded_scenario(recording.trace, recording.host);
  CHECK(scenario.host_total == 2200_MiB);
  CHECK(scenario.host_use.largest() == 300_MiB);  // Scenario::host_base
  CHECK(scenario.duration == 60s);
  REQUIRE(scenario.domains.size() == 2);
  CHECK(scenario.domains[0].name == "a");
  CHECK(scenario.domains[0].maximum == 2_GiB);
  CHECK(scenario.domains[0].initial == 700_MiB);
  CHECK(scenario.domains[0].settings.weight == 2);
}

TEST_CASE(
    "a recorded domain starts with the memory backed that its process held beside QEMU's own") {
  auto original = turns();
  original.domains[0].touched = true;
  original.domains[1].backed = 300_MiB;
  const auto recording = recording_of(original, hold_everything());
  const auto scenario = recorded_scenario(recording.trace, recording.host);
  CHECK(scenario.domains[0].process_overhead == 30_MiB);
  CHECK(scenario.domains[0].backed == 700_MiB);
  CHECK(scenario.domains[1].backed == 300_MiB);
}

TEST_CASE("what a process holds of its guest's unused memory is simulated as it fell") {
  auto original = turns();
  original.domains[0].demand = Plan({{0s, 100_MiB}, {10s, 300_MiB}}, Plan::Shape::step);
  original.domains[0].backed_unused = Plan({{0s, 60_MiB}, {10s, 20_MiB}}, Plan::Shape::step);
  const auto recording = recording_of(original, hold_everything());
  const auto scenario = recorded_scenario(recording.trace, recording.host);
  const auto& backed = scenario.domains[0].backed_unused.points();
  REQUIRE(backed.size() == 2);
  CHECK(backed[0].at <= 2s);
  CHECK(backed[0].size == 60_MiB);
  CHECK(backed[1].at >= 10s);
  CHECK(backed[1].at <= 12s);
  CHECK(backed[1].size == 20_MiB);
}

TEST_CASE("the simulation of a recorded run stalls as the run did") {
  const auto original = turns();
  const double then = simulate(original, hold_everything(), {}).score.stalled;
  const auto recording = recording_of(original, hold_everything());
  const auto again =
      simulate(recorded_scenario(recording.trace, recording.host), hold_everything(), {});
  CHECK(then > 0.2);
  CHECK(again.score.stalled == doctest::Approx(then).epsilon(0.1));
}

TEST_CASE("another policy's run is predicted from the recording of one policy") {
  const auto original = turns();
  const auto all_at = [](MemorySize size) { return test::set_all(size); };
  const double really = simulate(original, all_at(900_MiB), {}).score.stalled;
  const auto recording = recording_of(original, hold_everything());
  const auto predicted =
      simulate(recorded_scenario(recording.trace, recording.host), all_at(900_MiB), {});
  CHECK(predicted.score.stalled == doctest::Approx(really).epsilon(0.1));
}

TEST_CASE("a recorded domain starts and stops in the scenario as it did") {
  auto original = turns();
  original.domains[1].start = 20s;
  original.domains[1].stop = 50s;
  const auto recording = recording_of(original, hold_everything());
  const auto scenario = recorded_scenario(recording.trace, recording.host);
  CHECK(scenario.domains[0].start == 0s);
  CHECK_FALSE(scenario.domains[0].stop.has_value());
  CHECK(scenario.domains[1].start == 20s);
  CHECK(scenario.domains[1].stop == 50s);
}

TEST_CASE("a budget of the recorded run is the host of the scenario") {
  auto recording = recording_of(turns(), hold_everything());
  recording.host.limits.host_memory = 1_GiB;
  const auto scenario = recorded_scenario(recording.trace, recording.host);
  CHECK(scenario.host_total == 1_GiB);
  CHECK(scenario.host_use.empty());
  CHECK(memory_for_guests(recording.host) == 1_GiB);
  CHECK_FALSE(without_budget(recording.host.limits).host_memory.has_value());
}

TEST_CASE("guests can have what the host did not use itself") {
  const auto recording = recording_of(turns(), hold_everything());
  // Its base, and QEMU's own memory of two domains.
  CHECK(memory_for_guests(recording.host) == 2200_MiB - 300_MiB - 60_MiB);
}

TEST_CASE("copies of recorded domains peak at the same time of the day") {
  const Trace copied = with_copies(two_days(), 300_MiB);
  REQUIRE(copied.columns.size() > 1);
  const TraceColumn& copy = copied.columns[1];
  CHECK(copy.name == "a+1");
  CHECK(copy.provisioned == 2_GiB);
  CHECK(copy.kernel == 50_MiB);
  CHECK(copy.used[0] == 600_MiB);
  CHECK(copy.used[24] == 1_GiB);
  CHECK(std::count(copy.used.begin(), copy.used.end(), 100_MiB) == 46);
}

TEST_CASE("domains are copied until the host is full on average") {
  const auto columns = [](MemorySize host) { return with_copies(two_days(), host).columns.size(); };
  CHECK(columns(50_MiB) == 1);
  CHECK(columns(1_GiB) > 8);
  CHECK(columns(1024_GiB) == 1 + kMostCopies);
}

TEST_CASE("the demand of a recorded domain does not count its kernel twice") {
  const Trace trace = two_days();
  CHECK(demand_of(trace, 0s)[0][0] + kKernelNeed == 1_GiB);
}
