#include "engine/workbench/host_recorder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "engine/workbench/simulation.h"
#include "tests/unit/workbench/set_all.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace memcoord::test;
using namespace std::chrono_literals;
using observers::Event;

namespace {

constexpr WallTime kEvening = WallTime(1'700'000'000s);

bool take_all(std::string_view) {
  return true;
}

/// Tick `number` of a run that began `run` after the evening.
Tick recorded_tick(std::uint64_t number, const Snapshot& snapshot, Duration run = {}) {
  Tick tick;
  tick.number = number;
  tick.policy = "adaptive";
  tick.snapshot = snapshot;
  const Duration since = std::chrono::seconds(number);
  tick.snapshot.taken_at = MonotonicTime(since);
  tick.snapshot.wall_time = kEvening + std::chrono::floor<WallTime::duration>(run + since);
  return tick;
}

Snapshot web_with(MemorySize left) {
  return World().host(8_GiB, free(4_GiB)).domain("web", actual(1_GiB), unused(left));
}

std::size_t count_of(const RunRecord& record, Event::Kind kind) {
  return static_cast<std::size_t>(
      std::count_if(record.events.begin(), record.events.end(),
                    [&](const Event& event) { return event.kind == kind; }));
}

}  // namespace

TEST_CASE("a recorded run has the host's and the domains' memory at each tick") {
  HostRecorder recorder(take_all);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    recorder.take(recorded_tick(i, web_with(i == 10 ? 50_MiB : 300_MiB)));
  }
  const RunRecord record = recorder.finish();
  REQUIRE(record.recorded);
  CHECK(record.recorded->ticks == 20);
  CHECK(record.start == kEvening + 1s);
  CHECK(record.duration == 19s);
  REQUIRE(record.times.size() == 20);
  REQUIRE(record.domains.size() == 1);
  const DomainRecord& web = record.domains[0];
  CHECK(web.name == "web");
  REQUIRE(web.moments.size() == 20);
  CHECK(web.moments[0].need == 1_GiB - 300_MiB);
  CHECK(web.moments[9].need == 1_GiB - 50_MiB);
  CHECK(web.moments[9].stalled);
  CHECK_FALSE(web.moments[8].stalled);
  CHECK(record.host[9].granted == 1_GiB);
  CHECK(web.story.short_of_memory == 1s);
  CHECK(web.stalled == doctest::Approx(1.0 / 19));
}

TEST_CASE("a long recording has fewer intervals, which lose no short moment") {
  HostRecorder recorder(take_all, {.values = 400, .domains = 10});
  for (std::uint64_t i = 1; i <= 5000; ++i) {
    recorder.take(recorded_tick(i, web_with(i == 3001 ? 50_MiB : 300_MiB)));
  }
  const RunRecord record = recorder.finish();
  CHECK(record.times.size() <= 400);
  CHECK(record.times.size() >= 200);
  CHECK(record.times.back() == record.duration);
  CHECK(std::is_sorted(record.times.begin(), record.times.end()));
  const auto& moments = record.domains[0].moments;
  REQUIRE(moments.size() == record.times.size());
  const auto shortage = std::find_if(moments.begin(), moments.end(),
                                     [](const DomainMoment& moment) { return moment.stalled; });
  REQUIRE(shortage != moments.end());
  CHECK(shortage->unused == 50_MiB);
  CHECK(shortage->need == 1_GiB - 50_MiB);
  const Duration end = record.times[static_cast<std::size_t>(shortage - moments.begin())];
  CHECK(end >= 3000s);
  CHECK(end <= 3000s + record.interval * 2);
}

TEST_CASE("a time in which nothing was recorded is a gap and an event") {
  HostRecorder recorder(take_all);
  for (std::uint64_t i = 1; i <= 5; ++i) recorder.take(recorded_tick(i, web_with(300_MiB)));
  for (std::uint64_t i = 1; i <= 5; ++i) recorder.take(recorded_tick(i, web_with(300_MiB), 1h));
  const RunRecord record = recorder.finish();
  REQUIRE(record.host.size() == 11);
  CHECK(record.host[4].active);
  CHECK_FALSE(record.host[5].active);
  CHECK_FALSE(record.domains[0].moments[5].active);
  CHECK(record.times[5] - record.times[4] > 59min);
  CHECK(record.host[6].active);
  CHECK(record.recorded->runs == 2);
  CHECK(record.recorded->recorded == 8s);
  CHECK(record.domains[0].story.observed == 8s);
  REQUIRE(record.events.size() == 2);
  CHECK(record.events[0].text == "nothing was recorded for 59 min 56 s");
  CHECK(record.events[1].text == "a new run of memcoord begins");
}

TEST_CASE("a clock that goes back does not take the recording back") {
  HostRecorder recorder(take_all);
  for (std::uint64_t i = 1; i <= 10; ++i) {
    Tick tick = recorded_tick(i, web_with(300_MiB));
    if (i > 5) tick.snapshot.wall_time -= 2h;
    recorder.take(tick);
  }
  const RunRecord record = recorder.finish();
  CHECK(record.duration == 9s);
  CHECK(record.times.size() == 10);
  REQUIRE(record.events.size() == 1);
  CHECK(record.events[0].text.starts_with("the host's clock went back by 2 h;"));
  CHECK(record.events[0].time == kEvening + 6s);
}

TEST_CASE("a recording of chosen domains has the whole host, but only their events") {
  HostRecorder recorder([](std::string_view name) { return name == "web"; });
  const auto world = [](MemorySize left) -> Snapshot {
    return World()
        .host(8_GiB, free(4_GiB))
        .domain("db", actual(2_GiB), unused(left))
        .domain("web", actual(1_GiB), unused(left));
  };
  recorder.take(recorded_tick(1, world(300_MiB)));
  recorder.take(recorded_tick(2, world(50_MiB)));
  const RunRecord record = recorder.finish();
  REQUIRE(record.domains.size() == 1);
  CHECK(record.domains[0].name == "web");
  CHECK(record.host[0].granted == 3_GiB);
  REQUIRE(record.events.size() == 1);
  CHECK(record.events[0].domain == "web");
}

TEST_CASE("a guest that does not report has its size and nothing else") {
  HostRecorder recorder(take_all);
  recorder.take(recorded_tick(1, World().host(8_GiB).domain("web", actual(1_GiB), no_report())));
  const RunRecord record = recorder.finish();
  const DomainMoment& moment = record.domains.at(0).moments.at(0);
  CHECK(moment.active);
  CHECK(moment.silent);
  CHECK(moment.actual == 1_GiB);
}

TEST_CASE("domains beyond the bound have no curves") {
  HostRecorder recorder(take_all, {.domains = 1});
  recorder.take(
      recorded_tick(1, World().host(8_GiB).domain("a", actual(1_GiB)).domain("b", actual(1_GiB))));
  const RunRecord record = recorder.finish();
  CHECK(record.domains.size() == 1);
  CHECK(record.host[0].granted == 2_GiB);
}

TEST_CASE("a guest that fills its memory and is killed shows a sign of it") {
  simulated::ScenarioDomain web;
  web.name = "web";
  web.maximum = 1_GiB;
  web.initial = 512_MiB;
  std::vector<simulated::Plan::Point> demand;
  for (std::uint64_t second = 0; second < 120; ++second) {
    demand.push_back({std::chrono::seconds(second), 5_MiB * second});
  }
  web.demand = simulated::Plan(std::move(demand), simulated::Plan::Shape::step);
  simulated::Scenario scenario;
  scenario.duration = 120s;
  scenario.host_total = 4_GiB;
  scenario.domains.push_back(web);
  HostRecorder recorder(take_all);
  SimulationWatch watch;
  watch.tick = [&](const Tick& tick, simulated::SimulatedHost&) { recorder.take(tick); };
  const SimulationResult result = simulate(scenario, test::set_all(512_MiB), {}, watch);
  REQUIRE(result.score.guest_oom > 0);
  const RunRecord record = recorder.finish();
  CHECK(count_of(record, Event::Kind::likely_killed) > 0);
  CHECK(record.domains.at(0).oom_kills > 0);
  // On the charts, in the interval of the tick that shows it, and in no other.
  std::set<std::size_t> shown;
  for (const Event& event : record.events) {
    if (event.kind != Event::Kind::likely_killed) continue;
    const auto end = std::upper_bound(record.times.begin(), record.times.end(),
                                      Duration(event.time - record.start));
    shown.insert(std::min<std::size_t>(static_cast<std::size_t>(end - record.times.begin()),
                                       record.times.size() - 1));
  }
  const auto& moments = record.domains[0].moments;
  for (std::size_t i = 0; i < moments.size(); ++i) CHECK(moments[i].oom == (shown.count(i) > 0));
}
