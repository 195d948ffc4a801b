#include "engine/workbench/simulation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "engine/workbench/run_record.h"
#include "tests/unit/workbench/set_all.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;
using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;
using simulated::SimulatedHost;

namespace {

constexpr auto kStep = Plan::Shape::step;

ScenarioDomain domain(const std::string& name, MemorySize initial,
                      std::vector<Plan::Point> demand) {
  ScenarioDomain one;
  one.name = name;
  one.maximum = 2_GiB;
  one.initial = initial;
  one.swap = 2_GiB;
  one.demand = Plan(std::move(demand), kStep);
  return one;
}

/// One guest needs little. The need of the other jumps at 20 s to more than it has, for 30 s.
Scenario jump() {
  Scenario scenario;
  scenario.name = "jump";
  scenario.host_total = 4_GiB;
  scenario.host_base = 200_MiB;
  scenario.duration = 60s;
  scenario.domains.push_back(domain("idle", 1_GiB, {{0s, 100_MiB}}));
  scenario.domains.push_back(
      domain("busy", 512_MiB, {{0s, 100_MiB}, {20s, 820_MiB}, {50s, 100_MiB}}));
  return scenario;
}

}  // namespace

TEST_CASE("a guest is stalled for as long as its demand does not fit") {
  const SimulationResult result = simulate(jump(), hold_everything(), {});
  // 30 s of one of two domains: 820 MiB and the kernel's 92 do not fit 512 MiB.
  CHECK(result.score.stalled == doctest::Approx(30.0 / 120.0).epsilon(0.02));
  CHECK(result.score.domain_seconds == doctest::Approx(120.0));
  CHECK(result.score.deficit == doctest::Approx(400.0 / 1024.0 * 30.0 / 3600.0).epsilon(0.02));
  CHECK(result.score.guest_oom == 0);
  CHECK(result.score.churn == 0);
  CHECK(result.ticks == 60);
}

TEST_CASE("a guest without swap is killed where its demand does not fit") {
  Scenario scenario = jump();
  for (ScenarioDomain& one : scenario.domains) one.swap = MemorySize();
  const SimulationResult result = simulate(scenario, hold_everything(), {});
  CHECK(result.score.guest_oom > 0);
}

TEST_CASE("a policy that grows a guest in time prevents a stall, and its moves count as churn") {
  const SimulationResult skipped = simulate(jump(), hold_everything(), {});
  const SimulationResult given = simulate(jump(), test::set_all(1_GiB), {});
  CHECK(given.score.stalled == 0);
  CHECK(given.score.deficit == 0);
  CHECK(given.score.churn == doctest::Approx(512.0 / (120.0 / 3600.0)));
  CHECK(given.score.overhead > skipped.score.overhead);
}

TEST_CASE("memory that a guest frees returns to the host at once only with free page reporting") {
  const auto free_in_the_end = [](bool reporting) {
    Scenario scenario = jump();
    for (ScenarioDomain& one : scenario.domains) {
      one.initial = 1_GiB;
      one.free_page_reporting = reporting;
    }
    MemorySize free;
    SimulationWatch watch;
    watch.tick = [&](const Tick& tick, SimulatedHost&) { free = tick.snapshot.host.free; };
    simulate(scenario, hold_everything(), {}, watch);
    return free;
  };
  CHECK(free_in_the_end(true) - free_in_the_end(false) == 720_MiB);
}

TEST_CASE("the same run has the same score") {
  const SimulationOptions options;
  const auto first = simulate(jump(), test::set_all(900_MiB), options);
  const auto second = simulate(jump(), test::set_all(900_MiB), options);
  CHECK(first.score == second.score);
}

TEST_CASE("a simulation counts the ticks in which the policy fails") {
  const SimulationResult result = simulate(jump(), test::broken(), {});
  CHECK(result.policy_errors == result.ticks);
  REQUIRE(result.first_policy_error);
  CHECK(result.first_policy_error->message == "is broken");
  CHECK(result.score.stalled > 0);
}

TEST_CASE("a run ends with its scenario, also within the last tick's interval") {
  const auto result = simulate(jump(), test::set_all(1_GiB), {.interval = 25s, .limits = {}});
  CHECK(result.ticks == 3);
  CHECK(result.score.domain_seconds == doctest::Approx(2 * 60));
}

namespace {

/// Sets the second domain to 1 GiB once it is short, and wants early ticks from 20 s to 21 s.
std::unique_ptr<Policy> hurries() {
  return std::make_unique<test::FakePolicy>([](const Situation& situation) -> Result<PolicyAnswer> {
    PolicyAnswer answer;
    const Duration now = situation.snapshot.taken_at.time_since_epoch();
    if (now >= 20s && now < 21s) answer.again = 10ms;
    for (const DomainView& view : situation.domains) {
      if (!view.skipped && view.headroom < 100_MiB) {
        answer.proposals.push_back({view.domain.uuid(), 1_GiB, "short"});
      }
    }
    return answer;
  });
}

}  // namespace

TEST_CASE("early ticks serve a guest sooner, and the scenario still ends on time") {
  Scenario scenario = jump();
  scenario.domains[0].period = scenario.domains[1].period = 100ms;
  SimulationOptions no_early_ticks;
  no_early_ticks.min_interval = Duration();
  const SimulationResult calm = simulate(scenario, hurries(), no_early_ticks);
  const SimulationResult early = simulate(scenario, hurries(), {});
  CHECK(calm.ticks == 60);
  CHECK(calm.early_ticks == 0);
  CHECK(early.early_ticks >= 4);
  CHECK(early.ticks > 60);
  CHECK(early.score.domain_seconds == doctest::Approx(120.0));
  CHECK(early.score.stalled < calm.score.stalled);
  CHECK(simulate(scenario, hurries(), {}).score == early.score);
}

TEST_CASE("a watcher can end a run early") {
  SimulationWatch watch;
  watch.give_up = [](SimulatedHost& host) { return host.now() >= 10s; };
  const SimulationResult result = simulate(jump(), hold_everything(), {}, watch);
  CHECK(result.gave_up);
  CHECK(result.score.domain_seconds == doctest::Approx(20.0));
}

TEST_CASE("a record has each domain's moments, stalls and moves") {
  const Scenario scenario = jump();
  Recorder recorder(scenario);
  RunRecord record;
  SimulationWatch watch;
  watch.tick = [&](const Tick& tick, SimulatedHost& host) { recorder.take(tick, host); };
  watch.end = [&](SimulatedHost& host) { record = recorder.finish(host, 2s); };
  const SimulationResult result = simulate(scenario, test::set_all(640_MiB), {}, watch);
  CHECK(record.score == result.score);
  CHECK(record.policy == "set all");
  REQUIRE(record.domains.size() == 2);
  const DomainRecord& busy =
      record.domains[0].name == "busy" ? record.domains[0] : record.domains[1];
  REQUIRE(busy.moments.size() == record.times.size());
  CHECK(busy.stalled == doctest::Approx(0.5).epsilon(0.05));
  for (std::size_t i = 0; i < record.times.size(); ++i) {
    // A moment stands for the interval that ends at a tick: the jump at 20 s shows in the next one.
    CHECK(busy.moments[i].stalled == (record.times[i] > 20s && record.times[i] <= 50s));
  }
  const bool moved =
      std::any_of(record.events.begin(), record.events.end(), [](const observers::Event& e) {
        return e.kind == observers::Event::Kind::moved && e.domain == "busy";
      });
  CHECK(moved);
  CHECK(busy.story.moves > 0);
  CHECK(busy.story.largest >= 640_MiB);
}

TEST_CASE("a long run has fewer, longer intervals, which lose no stall") {
  Scenario scenario = jump();
  scenario.duration = 3600s;
  Recorder recorder(scenario, {.values = 400, .events = {1, 1, 1, 1, 1}});
  RunRecord record;
  SimulationWatch watch;
  watch.tick = [&](const Tick& tick, SimulatedHost& host) { recorder.take(tick, host); };
  watch.end = [&](SimulatedHost& host) { record = recorder.finish(host, 2s); };
  simulate(scenario, test::set_all(640_MiB), {}, watch);
  CHECK(record.times.size() <= 200);
  CHECK(record.times.size() >= 100);
  CHECK(record.events.size() <= 5);
  bool stalled = false;
  for (const DomainRecord& one : record.domains) {
    for (const DomainMoment& moment : one.moments) stalled = stalled || moment.stalled;
  }
  CHECK(stalled);
}

TEST_CASE(
    "a simulation asks guests with long statistics periods for reports unless it is to keep them") {
  const auto newest_reports = [](bool keep) {
    Scenario scenario = jump();
    for (ScenarioDomain& one : scenario.domains) one.period = 60s;
    std::vector<WallTime> stamps;
    SimulationWatch watch;
    watch.tick = [&](const Tick& tick, SimulatedHost&) {
      stamps.push_back(tick.snapshot.domains[0].guest.last_update.value_or(WallTime()));
    };
    SimulationOptions options;
    options.keep_periods = keep;
    (void)simulate(scenario, hold_everything(), options, watch);
    stamps.erase(std::unique(stamps.begin(), stamps.end()), stamps.end());
    return stamps.size();
  };
  CHECK(newest_reports(false) >= 59);
  CHECK(newest_reports(true) <= 2);
}

TEST_CASE("no policy overcommits a NUMA node, whatever the other nodes have") {
  Scenario scenario = jump();
  scenario.host_nodes = {1536_MiB, 4_GiB - 1536_MiB};
  scenario.domains[1].demand = Plan({{0s, 100_MiB}, {20s, 1900_MiB}}, kStep);
  scenario.domains[1].nodes = {0};
  const SimulationResult bound = simulate(scenario, test::set_all(2_GiB), SimulationOptions());
  CHECK(bound.score.host_oom == 0);
  CHECK(bound.score.churn > 0);
}

TEST_CASE("each job runs once, whatever the number of threads") {
  for (const std::size_t threads : {0U, 1U, 3U, 50U}) {
    std::vector<std::atomic<int>> done(20);
    run_jobs(done.size(), threads, [&](std::size_t i) { ++done[i]; });
    CHECK(std::all_of(done.begin(), done.end(), [](const auto& times) { return times == 1; }));
  }
}
