#include "engine/core/refresh_plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

using Reasons = std::vector<std::pair<Uuid, RefreshReason>>;

std::vector<RefreshWish> wishes_of(const Observed& observed, std::vector<Uuid> asked = {},
                                   Duration interval = 1s) {
  return refresh_wishes(
      {observed.snapshot(), observed.history(), observed.limits(), asked, interval});
}

Reasons reasons_of(const Observed& observed, std::vector<Uuid> asked = {}) {
  Reasons reasons;
  for (const RefreshWish& wish : wishes_of(observed, std::move(asked))) {
    reasons.emplace_back(wish.domain, wish.reason);
  }
  return reasons;
}

DomainProperty period(Duration period) {
  return [period](Domain& domain, DomainIdentity&) { domain.guest.period = period; };
}

/// Two samples a second apart of a guest whose headroom goes from one size to another.
Observed falls(MemorySize before, MemorySize after) {
  Observed observed(World().domain("a", unused(before), period(1s)));
  observed.then(World().at(1s).domain("a", unused(after), period(1s)));
  return observed;
}

/// Wishes of one urgency for some domains, due at the clock's beginning.
std::vector<RefreshWish> wishes_for(int domains, RefreshReason reason = RefreshReason::at_risk) {
  std::vector<RefreshWish> wishes;
  for (int i = 1; i <= domains; ++i) {
    wishes.push_back({{0, static_cast<std::uint64_t>(i)}, reason, {}});
  }
  return wishes;
}

constexpr MonotonicTime kNow{std::chrono::hours(1)};

}  // namespace

TEST_CASE("a calm host with periods of a second asks no guest") {
  CHECK(reasons_of(falls(800_MiB, 800_MiB)).empty());
  CHECK(reasons_of(falls(400_MiB, 800_MiB)).empty());
}

TEST_CASE("a moved guest is asked until a report shows the move's result") {
  Observed observed(World().domain("a", actual(1_GiB), unused(800_MiB), period(1s)));
  observed.moved("a", 900_MiB);
  CHECK(reasons_of(observed) == Reasons{{id("a"), RefreshReason::moved}});
  // The balloon has arrived; the report may be from before that.
  observed.then(World().at(1s).domain("a", actual(900_MiB), unused(700_MiB), period(1s)));
  CHECK(reasons_of(observed) == Reasons{{id("a"), RefreshReason::moved}});
  observed.then(World().at(2s).domain("a", actual(900_MiB), unused(676_MiB), period(1s)));
  CHECK(reasons_of(observed).empty());
}

TEST_CASE("a guest that does not follow its balloon is asked for a few seconds") {
  const auto still = [](Duration at) {
    return World().at(at).domain("a", actual(1_GiB), unused(800_MiB), period(1s));
  };
  Observed observed(still(0s));
  observed.moved("a", 900_MiB);
  observed.then(still(4s));
  CHECK(reasons_of(observed) == Reasons{{id("a"), RefreshReason::moved}});
  observed.then(still(6s));
  CHECK(reasons_of(observed).empty());
}

TEST_CASE("a guest under its floor, or that soon will be, is at risk") {
  CHECK(reasons_of(falls(99_MiB, 99_MiB)) == Reasons{{id("a"), RefreshReason::at_risk}});
  CHECK(reasons_of(falls(300_MiB, 200_MiB)) == Reasons{{id("a"), RefreshReason::at_risk}});
  CHECK(reasons_of(falls(520_MiB, 500_MiB)).empty());
}

TEST_CASE("a guest that has its maximum is at no risk that a balloon could end") {
  const auto guest = [](MemorySize size) {
    return Observed(
        World().domain("a", actual(size), maximum(128_MiB), unused(40_MiB), period(1s)));
  };
  CHECK(reasons_of(guest(128_MiB)).empty());
  CHECK(reasons_of(guest(120_MiB)) == Reasons{{id("a"), RefreshReason::at_risk}});
}

TEST_CASE("the policy's wishes come after guests at risk") {
  const Observed observed(World()
                              .domain("a", unused(800_MiB), period(1s))
                              .domain("b", unused(50_MiB), period(1s))
                              .domain("c", unused(800_MiB), period(1s)));
  CHECK(reasons_of(observed, {id("c"), id("unknown"), id("b")}) ==
        Reasons{{id("b"), RefreshReason::at_risk}, {id("c"), RefreshReason::asked}});
}

TEST_CASE("a guest whose period is longer than the interval is asked once an interval") {
  Observed observed(World().domain("a", unused(800_MiB), period(10s)));
  observed.then(World().at(1s).domain("a", unused(800_MiB), period(10s)));
  const auto wishes = wishes_of(observed);
  REQUIRE(wishes.size() == 1);
  CHECK(wishes[0].reason == RefreshReason::overdue);
  CHECK(wishes[0].due_at > observed.snapshot().taken_at + 200ms);
  CHECK(wishes[0].due_at < observed.snapshot().taken_at + 1s);
  CHECK(wishes_of(observed, {}, 10s).empty());
}

TEST_CASE("a guest that cannot report is not asked") {
  const Observed observed(
      World()
          .domain("excluded", unused(50_MiB), period(1s), excluded())
          .domain("never", period(1s), no_report())
          .domain("off", unused(50_MiB), period(0s))
          .domain("paused", unused(50_MiB), period(1s), state(DomainState::paused))
          .domain("unsuitable", unused(50_MiB), period(1s), unsuitable("x")));
  CHECK(reasons_of(observed, {id("excluded"), id("never"), id("off"), id("paused")}).empty());
}

TEST_CASE("requests take at most a tenth of the time between ticks") {
  RefreshBudget budget;
  const RefreshRound round = budget.choose(wishes_for(1000), kNow, 1s);
  CHECK(round.patience == 100ms);
  CHECK(round.domains.size() == static_cast<std::size_t>(97ms / RefreshBudget::kUsualCost));
  CHECK(budget.choose(wishes_for(1000), kNow, 200ms).domains.size() == 13);
}

TEST_CASE("a host that answers slowly is asked about fewer guests, and about one now and then") {
  RefreshBudget budget;
  for (int i = 0; i < 20; ++i) budget.record({{{0, 1}}, 100ms}, 203ms);
  CHECK(budget.cost() > 190ms);
  int asked = 0;
  for (int tick = 0; tick < 30; ++tick) {
    const RefreshRound round = budget.choose(wishes_for(5), kNow, 1s);
    asked += static_cast<int>(round.domains.size());
    CHECK(round.domains.size() <= 1);
  }
  CHECK(asked == 10);
}

TEST_CASE("a host that answers at once is asked about more guests") {
  RefreshBudget budget;
  for (int i = 0; i < 20; ++i) budget.record({{{0, 1}, {0, 2}}, 100ms}, 4ms);
  CHECK(budget.choose(wishes_for(1000), kNow, 1s).domains.size() > 150);
}

TEST_CASE("guests of equal urgency take turns where time is too short for all") {
  RefreshBudget budget;
  std::set<Uuid> asked;
  for (int tick = 0; tick < 3; ++tick) {
    const RefreshRound round = budget.choose(wishes_for(30, RefreshReason::overdue), kNow, 200ms);
    asked.insert(round.domains.begin(), round.domains.end());
  }
  CHECK(asked.size() == 30);
}

TEST_CASE("urgent guests are asked first, every time") {
  RefreshBudget budget;
  std::vector<RefreshWish> wishes = wishes_for(100, RefreshReason::overdue);
  wishes.push_back({{0, 200}, RefreshReason::moved, {}});
  for (int tick = 0; tick < 3; ++tick) {
    CHECK(budget.choose(wishes, kNow, 200ms).domains.front() == Uuid{0, 200});
  }
}

TEST_CASE("a wish that is not due yet waits") {
  RefreshBudget budget;
  const std::vector<RefreshWish> wishes{{{0, 1}, RefreshReason::overdue, kNow + 1s}};
  CHECK(budget.choose(wishes, kNow, 1s).domains.empty());
  CHECK(budget.choose(wishes, kNow + 1s, 1s).domains.size() == 1);
}

TEST_CASE("the coordinator asks before it samples, for the guests of the last tick") {
  const World world = World().host(8_GiB, free(4_GiB)).domain("a", unused(50_MiB), period(1s));
  for (const bool on_demand : {true, false}) {
    CoordinatorOptions options;
    options.reports_on_demand = on_demand;
    CoordinatorHarness harness({world}, asks({}), options);
    (void)harness.coordinator.tick();
    CHECK(harness.hypervisor.refreshed.empty());
    harness.clock.sleep_for(1s);
    (void)harness.coordinator.tick();
    CHECK(harness.hypervisor.refreshed.size() == (on_demand ? 1 : 0));
    if (on_demand) CHECK(harness.hypervisor.patience == 100ms);
  }
}

TEST_CASE("the coordinator asks the guests that the policy names, at the next tick only") {
  const World world = World().host(8_GiB, free(4_GiB)).domain("a", unused(800_MiB), period(1s));
  int decisions = 0;
  auto policy = std::make_unique<FakePolicy>([&](const Situation&) -> Result<PolicyAnswer> {
    PolicyAnswer answer;
    if (decisions++ == 0) answer.refresh = {id("a")};
    return answer;
  });
  CoordinatorHarness harness({world}, std::move(policy));
  for (int tick = 0; tick < 4; ++tick) {
    (void)harness.coordinator.tick();
    harness.clock.sleep_for(1s);
  }
  REQUIRE(harness.hypervisor.refreshed.size() == 1);
  CHECK(harness.hypervisor.refreshed.front() == std::vector{id("a")});
}
