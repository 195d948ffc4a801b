#include "engine/workbench/replay.h"

#include <doctest/doctest.h>

#include "engine/workbench/simulation.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;
using simulated::Plan;

namespace {

/// Sets every domain to one size at each tick; a broken one gives no answer.
class SetAll final : public Policy {
 public:
  explicit SetAll(MemorySize size, bool broken = false) : size_(size), broken_(broken) {}
  [[nodiscard]] std::string name() const override { return "set all"; }
  Result<PolicyAnswer> decide(const Situation& situation) override {
    if (broken_) return fail(ErrorCode::policy_failed, "x.lua:1", "is broken");
    PolicyAnswer answer;
    for (const Domain& one : situation.snapshot.domains) {
      answer.proposals.push_back({one.uuid(), size_, "all alike"});
    }
    return answer;
  }

 private:
  MemorySize size_;
  bool broken_;
};

class Keeper final : public Observer {
 public:
  void observe(const Tick& tick) override { ticks.push_back(tick); }
  std::vector<Tick> ticks;
};

/// The ticks of a run of two idle guests that are all set to 700 MiB.
std::vector<Tick> recorded() {
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
  simulate(scenario, std::make_unique<SetAll>(700_MiB), {}, watch);
  return keeper.ticks;
}

}  // namespace

TEST_CASE("the policy that decided then decides alike now") {
  Replay replay(std::make_unique<SetAll>(700_MiB));
  for (const Tick& tick : recorded()) {
    for (const ReplayedDomain& domain : replay.take(tick).domains) CHECK(domain.alike);
  }
}

TEST_CASE("another policy's decisions stand beside those of then") {
  Replay replay(std::make_unique<SetAll>(800_MiB));
  const ReplayedTick first = replay.take(recorded().front());
  REQUIRE(first.domains.size() == 2);
  CHECK(first.domains[0].name == "a");
  CHECK_FALSE(first.domains[0].alike);
  CHECK(first.domains[0].then->target == 700_MiB);
  CHECK(first.domains[0].now->target == 800_MiB);
}

TEST_CASE("what was done then stays done") {
  Replay replay(std::make_unique<SetAll>(800_MiB));
  std::vector<ReplayedTick> ticks;
  for (const Tick& tick : recorded()) ticks.push_back(replay.take(tick));
  CHECK(ticks.back().domains[0].actual == 700_MiB);
}

TEST_CASE("the guard goes by the limits that were recorded, or by others that are given") {
  const std::vector<Tick> ticks = recorded();
  Replay as_recorded(std::make_unique<SetAll>(100_MiB));
  Limits strict;
  strict.domain_floor = 400_MiB;
  Replay stricter(std::make_unique<SetAll>(100_MiB), strict);
  const auto loose = as_recorded.take(ticks.front()).domains[0].now->target;
  const auto tight = stricter.take(ticks.front()).domains[0].now->target;
  CHECK(tight > loose);
}

TEST_CASE("a policy without an answer is told, and decides nothing") {
  Replay replay(std::make_unique<SetAll>(800_MiB, true));
  const ReplayedTick tick = replay.take(recorded().front());
  REQUIRE(tick.policy_error);
  CHECK_FALSE(tick.domains[0].now);
}

TEST_CASE("a tick in which the host was not seen has nothing to decide") {
  Tick tick;
  tick.sample_error = Error{ErrorCode::unavailable, "qemu", "gone", "", ""};
  Replay replay(std::make_unique<SetAll>(800_MiB));
  CHECK_FALSE(replay.take(tick).sampled);
}
