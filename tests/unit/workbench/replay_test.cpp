#include "engine/workbench/replay.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/coordinator.h"
#include "engine/observers/tick_json.h"
#include "engine/workbench/simulation.h"
#include "tests/unit/workbench/set_all.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;
using simulated::Plan;

namespace {

/// Proposes 700 MiB for every domain at its first tick, and nothing after it.
std::unique_ptr<Policy> set_once() {
  return std::make_unique<test::FakePolicy>(
      [asked = false](const Situation& situation) mutable -> Result<PolicyAnswer> {
        if (std::exchange(asked, true)) return PolicyAnswer();
        return test::all_at(700_MiB, situation);
      },
      "set once");
}

/// Proposes a size that depends on the wall clock.
std::unique_ptr<Policy> by_the_clock() {
  return std::make_unique<test::FakePolicy>(
      [](const Situation& situation) -> Result<PolicyAnswer> {
        const auto time = situation.snapshot.wall_time.time_since_epoch().count();
        const auto more = static_cast<std::uint64_t>(time / 1000 % 64);
        return test::all_at(700_MiB + MemorySize::from_mib(more), situation);
      },
      "by the clock");
}

/// Makes set_all(size) for each run.
PolicyMaker all_set_to(MemorySize size) {
  return [size]() -> Result<std::unique_ptr<Policy>> { return test::set_all(size); };
}

ReplayedTick taken(Replay& replay, const Tick& tick) {
  auto result = replay.take(tick);
  if (!result) FAIL(result.error().text());
  return *std::move(result);
}

class Keeper final : public Observer {
 public:
  void observe(const Tick& tick) override { ticks.push_back(tick); }
  std::vector<Tick> ticks;
};

/// The ticks of a run with two idle guests, under a policy that sets both to 700 MiB by default.
std::vector<Tick> recorded(std::unique_ptr<Policy> policy = test::set_all(700_MiB)) {
  simulated::Scenario scenario;
  scenario.duration = 20s;
  for (const char* name : {"a", "b"}) {
    simulated::ScenarioDomain domain;
    domain.name = name;
    domain.maximum = 2_GiB;
    domain.demand = Plan({{0s, 100_MiB}}, Plan::Shape::step);
    scenario.domains.push_back(domain);
  }
  Keeper keeper;
  SimulationWatch watch;
  watch.observers.push_back(&keeper);
  simulate(scenario, std::move(policy), {}, watch);
  return keeper.ticks;
}

/// A host whose calls are slow: it makes and records a move well after the tick's sample.
class SlowHost final : public Hypervisor {
 public:
  SlowHost(test::FakeClock& clock, std::vector<Snapshot> samples)
      : clock_(clock), samples_(std::move(samples)) {}
  [[nodiscard]] std::string description() const override { return "slow:"; }
  Result<Snapshot> sample() override {
    const Snapshot snapshot = samples_.front();
    samples_.erase(samples_.begin());
    clock_.sleep_through(snapshot.taken_at - clock_.now());
    return snapshot;
  }
  std::vector<Outcome> apply(std::span<const Move> moves) override {
    clock_.sleep_through(900ms);
    return test::all_applied(moves);
  }
  std::vector<Note> drain_notes() override { return {}; }
  void close() override {}

 private:
  test::FakeClock& clock_;
  std::vector<Snapshot> samples_;
};

}  // namespace

TEST_CASE("a policy replays its own decisions") {
  Replay replay(all_set_to(700_MiB));
  for (const Tick& tick : recorded()) {
    for (const ReplayedDomain& domain : taken(replay, tick).domains) CHECK(domain.alike);
  }
}

TEST_CASE("a replay has the wall clock of the recorded ticks, also from a journal") {
  Replay replay([]() -> Result<std::unique_ptr<Policy>> { return by_the_clock(); });
  std::size_t compared = 0;
  for (const Tick& tick : recorded(by_the_clock())) {
    const auto read =
        observers::tick_from_json_line(observers::to_json_line(tick), "ticks.jsonl:1");
    REQUIRE(read);
    for (const ReplayedDomain& domain : taken(replay, *read).domains) {
      CHECK(domain.alike);
      ++compared;
    }
  }
  CHECK(compared > 10);
}

TEST_CASE("a journal and a replay hold uneven ticks") {
  // Grows every domain by 10 MiB for each second since the last tick, at uneven ticks.
  const auto by_seconds = []() -> Result<std::unique_ptr<Policy>> {
    return std::make_unique<test::FakePolicy>(
        [](const Situation& situation) -> Result<PolicyAnswer> {
          PolicyAnswer answer;
          if (situation.tick % 3 != 0) answer.again = situation.tick % 2 == 0 ? 200ms : 350ms;
          const MemorySize more = (10_MiB).scaled(seconds_of(situation.since_last));
          for (const DomainView& view : situation.domains) {
            if (view.skipped || more.is_zero()) continue;
            answer.proposals.push_back({view.domain.uuid(), view.domain.actual + more, "time"});
          }
          return answer;
        },
        "by seconds");
  };
  const std::vector<Tick> ticks = recorded(*by_seconds());
  REQUIRE(ticks.size() > 30);
  Replay replay(by_seconds);
  std::size_t decided = 0;
  for (const Tick& tick : ticks) {
    const auto read = observers::tick_from_json_line(observers::to_json_line(tick), "line");
    REQUIRE(read.has_value());
    const ReplayedTick again = taken(replay, *read);
    for (const ReplayedDomain& domain : again.domains) {
      ++decided;
      CHECK(domain.alike);
    }
  }
  CHECK(decided > 20);
}

TEST_CASE("a replay puts another policy's decisions beside the recorded ones") {
  Replay replay(all_set_to(800_MiB));
  const ReplayedTick first = taken(replay, recorded().front());
  REQUIRE(first.domains.size() == 2);
  CHECK(first.domains[0].name == "a");
  CHECK_FALSE(first.domains[0].alike);
  CHECK(first.domains[0].then->target == 700_MiB);
  CHECK(first.domains[0].now->target == 800_MiB);
}

TEST_CASE("a replay skips a domain with impossible statistics") {
  const std::vector<Tick> run = recorded();
  Replay replay(all_set_to(690_MiB));
  for (std::size_t i = 0; i < 3; ++i) (void)taken(replay, run[i]);
  Tick garbage = run[3];
  GuestStatistics& guest = garbage.snapshot.domains[0].guest;
  guest.unused = guest.usable = 3_GiB;  // of 2
  garbage.decisions.clear();
  const ReplayedTick now = taken(replay, garbage);
  REQUIRE(now.domains.size() == 2);
  REQUIRE_FALSE(now.domains[0].now->rules.empty());
  CHECK(now.domains[0].now->rules[0].rule == Rule::fresh_stats);
  CHECK(now.domains[1].now->rules.empty());
}

TEST_CASE("a replay has no decisions for the memory that a run gives back at its end") {
  std::vector<Tick> run = recorded();
  Tick end = run.back();
  end.number += 1;
  end.restoring = true;
  end.decisions = {{end.snapshot.domains[0].uuid(), 700_MiB, 2_GiB, 2_GiB, "gets it back", {}}};
  Replay replay(all_set_to(700_MiB));
  for (const Tick& tick : run) (void)taken(replay, tick);
  const ReplayedTick now = taken(replay, end);
  CHECK(now.restoring);
  CHECK(now.domains.empty());
  CHECK_FALSE(now.begins_run);
}

TEST_CASE("a replay gives a rebooted guest its memory back as the run did") {
  const auto sample = [](Duration at, MemorySize has) {
    return test::World()
        .at(at)
        .host(8_GiB, test::free(4_GiB))
        .domain("a", test::actual(has), test::maximum(1_GiB), test::unused(400_MiB));
  };
  Snapshot rebooted = sample(4s, 900_MiB);
  rebooted.domains[0].started_at = rebooted.taken_at;
  rebooted.domains[0].guest = {};
  Snapshot reports = sample(8s, 900_MiB);
  reports.domains[0].started_at = rebooted.taken_at;
  test::FakeHypervisor hypervisor({sample(0s, 1_GiB), sample(2s, 900_MiB), rebooted, reports});
  test::FakeClock clock;
  Keeper keeper;
  Coordinator coordinator(hypervisor, clock, test::set_all(900_MiB), {});
  coordinator.add_observer(keeper);
  for (int i = 0; i < 4; ++i) coordinator.tick();
  REQUIRE(keeper.ticks.back().decisions.size() == 1);
  REQUIRE(keeper.ticks.back().decisions[0].why.find("rebooted") == 0);
  Replay replay(all_set_to(900_MiB));
  ReplayedTick last;
  for (const Tick& tick : keeper.ticks) last = taken(replay, tick);
  REQUIRE(last.domains.size() == 1);
  CHECK(last.domains[0].alike);
  REQUIRE(last.domains[0].now);
  CHECK(*last.domains[0].now == *last.domains[0].then);
}

TEST_CASE("a replay has the engine's own proposals also where the policy fails") {
  const Snapshot sample =
      test::World().host(8_GiB, test::free(4_GiB)).domain("a", test::minimum(2_GiB));
  test::FakeHypervisor hypervisor({sample});
  test::FakeClock clock;
  Keeper keeper;
  Coordinator coordinator(hypervisor, clock, test::broken(), {});
  coordinator.add_observer(keeper);
  coordinator.tick();
  REQUIRE(keeper.ticks[0].decisions.size() == 1);
  Replay replay([]() -> Result<std::unique_ptr<Policy>> { return test::broken(); });
  const ReplayedTick now = taken(replay, keeper.ticks[0]);
  CHECK(now.policy_error);
  REQUIRE(now.domains.size() == 1);
  REQUIRE(now.domains[0].now);
  CHECK(now.domains[0].now->target == 2_GiB);
  CHECK(now.domains[0].alike);
}

TEST_CASE("recorded moves stay as they were") {
  Replay replay(all_set_to(800_MiB));
  std::vector<ReplayedTick> ticks;
  for (const Tick& tick : recorded()) ticks.push_back(taken(replay, tick));
  CHECK(ticks.back().domains[0].actual == 700_MiB);
}

TEST_CASE("a replay uses the recorded limits, or the given ones") {
  const std::vector<Tick> ticks = recorded();
  Replay as_recorded(all_set_to(100_MiB));
  Limits strict;
  strict.domain_floor = 400_MiB;
  Replay stricter(all_set_to(100_MiB), strict);
  const auto loose = taken(as_recorded, ticks.front()).domains[0].now->target;
  const auto tight = taken(stricter, ticks.front()).domains[0].now->target;
  CHECK(tight > loose);
}

TEST_CASE("a move with an unknown outcome counts as committed until its outcome is recorded") {
  const auto sample = [](Duration at) {
    return test::World()
        .at(at)
        .host(8_GiB, test::free(900_MiB))
        .domain("a", test::actual(512_MiB))
        .domain("b", test::actual(512_MiB));
  };
  test::FakeHypervisor hypervisor({sample(0s), sample(2s), sample(4s)});
  test::FakeClock clock;
  clock.follow(sample(0s));
  std::string who = "a";
  const auto asks = [&](const Situation&) -> Result<PolicyAnswer> {
    return PolicyAnswer{{{test::id(who), 1_GiB, "asks"}}, {}};
  };
  Coordinator coordinator(hypervisor, clock, std::make_unique<test::FakePolicy>(asks), {});
  Replay replay([&]() -> Result<std::unique_ptr<Policy>> {
    return std::make_unique<test::FakePolicy>(asks);
  });
  const auto both = [&] {
    const ReplayedTick again = taken(replay, coordinator.tick());
    CHECK(again.domains[0].then->target == again.domains[0].now->target);
    return again.domains[0].now->target;
  };
  hypervisor.outcomes[test::id("a")] = Outcome::Kind::unknown;
  CHECK(both() == 1_GiB);
  who = "b";
  hypervisor.outcomes[test::id("b")] = Outcome::Kind::failed;
  CHECK(both() == 700_MiB);
  hypervisor.late = {{test::id("a"), 512_MiB, 1_GiB, Outcome::Kind::failed, {}}};
  CHECK(both() == 1_GiB);
}

TEST_CASE("a policy that fails in a replay has no decisions, and the tick says why") {
  Replay replay([]() -> Result<std::unique_ptr<Policy>> { return test::broken(); });
  const ReplayedTick tick = taken(replay, recorded().front());
  REQUIRE(tick.policy_error);
  CHECK_FALSE(tick.domains[0].now);
}

TEST_CASE("a recorded tick without a sample replays nothing") {
  Tick tick;
  tick.sample_error = Error{ErrorCode::unavailable, "qemu", "gone", "", ""};
  Replay replay(all_set_to(800_MiB));
  CHECK_FALSE(taken(replay, tick).sampled);
}

namespace {

/// The same ticks, written by a run that starts later.
std::vector<Tick> later(std::vector<Tick> ticks, Duration by) {
  for (Tick& tick : ticks) {
    tick.snapshot.taken_at += by;
    const auto wall = std::chrono::floor<std::chrono::milliseconds>(by);
    tick.snapshot.wall_time += wall;
    for (Domain& domain : tick.snapshot.domains) *domain.guest.last_update += wall;
  }
  return ticks;
}

}  // namespace

TEST_CASE("each run in a journal starts with a fresh policy and an empty history") {
  // The runs are of the same boot: the host's clock goes on.
  const std::vector<Tick> run = recorded(set_once());
  Replay replay([]() -> Result<std::unique_ptr<Policy>> { return set_once(); });
  std::size_t begun = 0;
  for (const Duration by : {0s, 5s, 3600s}) {
    for (const Tick& tick : later(run, by)) {
      const ReplayedTick replayed = taken(replay, tick);
      CHECK(replayed.begins_run == (tick.number == 1));
      begun += replayed.begins_run ? 1 : 0;
      CHECK(replayed.run == begun);
      CHECK_FALSE(replayed.domains.empty() == (tick.number == 1));
      for (const ReplayedDomain& domain : replayed.domains) CHECK(domain.alike);
    }
  }
  CHECK(begun == 3);
}

TEST_CASE("a run also begins with a tick without a sample, and where the clock goes back") {
  const std::vector<Tick> run = recorded();
  Replay replay(all_set_to(700_MiB));
  for (const Tick& tick : run) CHECK(taken(replay, tick).run == 1);
  Tick blind;
  blind.number = 1;
  blind.sample_error = Error{ErrorCode::unavailable, "qemu", "gone", "", ""};
  CHECK(taken(replay, blind).run == 2);
  CHECK(taken(replay, run[1]).run == 2);
  // With lost ticks, the next run's numbers may go on by chance; its clock does not.
  Tick rebooted = run[2];
  rebooted.snapshot.taken_at = run[0].snapshot.taken_at;
  CHECK(taken(replay, rebooted).begins_run);
}

TEST_CASE("a policy that cannot be made for a new run ends the replay with its error") {
  Replay replay([]() -> Result<std::unique_ptr<Policy>> {
    return fail(ErrorCode::not_found, "x.lua", "is gone");
  });
  const auto taken = replay.take(recorded().front());
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message == "is gone");
}

TEST_CASE("a replay's history gets moves at the times at which the run recorded them") {
  using namespace memcoord::test;
  // The guest reports after the sample and before the move that the sample leads to, within the
  // same second. The report is older than the move, so the run moved nothing because of it.
  const std::vector<Snapshot> samples{
      World().at(200ms).domain("a", unused(800_MiB), reported_ago(200ms)),
      World().at(2200ms).domain("a", actual(900_MiB), unused(676_MiB), reported_ago(1200ms))};
  FakeClock clock;
  clock.follow(samples.front());
  SlowHost host(clock, samples);
  Coordinator run(host, clock, test::set_all(900_MiB), {});
  std::vector<std::string> journal{observers::to_json_line(run.tick())};
  run.replace_policy(test::set_all(800_MiB));
  const Tick second = run.tick();
  REQUIRE(rules_of(second.decisions.at(0)) == std::vector{Rule::fresh_stats});
  journal.push_back(observers::to_json_line(second));

  Replay replay(all_set_to(800_MiB));
  std::optional<ReplayedTick> last;
  for (const std::string& line : journal) {
    last = taken(replay, *observers::tick_from_json_line(line, "journal"));
  }
  CHECK(last->domains.at(0).now == second.decisions.at(0));
}
