// Reserves: what the guard counts for them, and when each ends.

#include "engine/core/reserve_book.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/evaluation.h"
#include "engine/core/guard.h"
#include "engine/core/tick_rhythm.h"
#include "tests/text.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

constexpr MonotonicTime kFarAway{24h};

Reserve reserve_of(const std::string& name, MemorySize size, MonotonicTime until = kFarAway) {
  return {.name = name, .size = size, .until = until};
}

Snapshot with(const World& world, std::vector<Reserve> reserves) {
  Snapshot snapshot = world;
  snapshot.reserves = std::move(reserves);
  return snapshot;
}

/// A host that can grant about 2 GiB, and whose guest can give 512 MiB in a tick.
World roomy() {
  return World().host(8_GiB, free(3_GiB)).domain("a", actual(2_GiB), unused(1_GiB), rss(2_GiB));
}

/// The same host with no memory to grant.
World tight() {
  return World().host(8_GiB, free(200_MiB)).domain("a", actual(2_GiB), unused(1_GiB), rss(2_GiB));
}

/// The names of the reserves in force at a snapshot.
std::vector<std::string> in_force(ReserveBook& book, Snapshot snapshot) {
  std::vector<std::string> names;
  book.apply(snapshot);
  for (const Reserve& reserve : snapshot.reserves) names.push_back(reserve.name);
  return names;
}

DomainProperty reports_at(WallTime time) {
  return [time](Domain& domain, DomainIdentity&) { domain.guest.last_update = time; };
}

}  // namespace

TEST_CASE("a reserve is not there to grant") {
  const MemorySize before = Observed(roomy()).situation().grantable;
  const Observed observed(with(roomy(), {reserve_of("web", 1_GiB)}));
  CHECK(observed.situation().grantable == before - 1_GiB);
  CHECK(observed.situation().reserved == 1_GiB);
  CHECK(observed.situation().reserves_lack == 0_MiB);
  CHECK(observed.decide("a", 8_GiB).target == 2_GiB + before - 1_GiB);
}

TEST_CASE("a grow that reserves leave nothing for says so") {
  const Decision decision =
      Observed(with(tight(), {reserve_of("web", 300_MiB)})).decide("a", 3_GiB);
  REQUIRE(decision.rules.size() == 1);
  CHECK(decision.rules[0].why == "the host has nothing to give above its floor and reserves");
}

TEST_CASE("a budget keeps what is reserved, too") {
  Limits limits;
  limits.host_memory = 4_GiB;
  const MemorySize before = Observed(roomy(), limits).situation().grantable;
  const Observed observed(with(roomy(), {reserve_of("web", 1_GiB)}), limits);
  CHECK(observed.situation().grantable == before - 1_GiB);
}

TEST_CASE("what reserves lack is taken back by a rule of its own, before the policy's wishes") {
  const Observed observed(with(tight(), {reserve_of("web", 300_MiB)}));
  const Situation situation = observed.situation();
  REQUIRE(situation.rescue == 0_MiB);
  CHECK(situation.reserves_lack == 300_MiB);
  const auto own = own_proposals(situation, {{{id("a"), 3_GiB, "grow"}}});
  REQUIRE(own.size() == 1);
  CHECK(own[0].target == 2_GiB - 300_MiB);
  CHECK(own[0].rule == Rule::reserve);
  CHECK(own[0].why == "web, which starts, needs 300 MiB");
}

TEST_CASE("a reserve takes no more than the guard lets a tick take") {
  const Observed observed(with(tight(), {reserve_of("web", 2_GiB)}));
  const auto own = own_proposals(observed.situation(), {});
  const auto decisions = guard::review(observed.snapshot(), observed.history(), own, {});
  REQUIRE(decisions.size() == 1);
  CHECK(decisions[0].target == 2_GiB - 512_MiB);
}

TEST_CASE("a reserve does not ask twice for what a shrink under way releases") {
  Observed observed(with(tight(), {reserve_of("web", 300_MiB)}));
  observed.moved("a", 2_GiB - 300_MiB);
  observed.then(
      with(World()
               .host(8_GiB, free(300_MiB))
               .at(1s)
               .domain("a", actual(2_GiB - 100_MiB), unused(900_MiB), rss(2_GiB - 100_MiB)),
           {reserve_of("web", 300_MiB)}));
  CHECK(observed.situation().reserves_lack == 0_MiB);
  CHECK(observed.situation().reserves_under_way == 200_MiB);
  // A policy does not turn the shrink round.
  const auto own = own_proposals(observed.situation(), {{{id("a"), 3_GiB, "grow"}}});
  REQUIRE(own.size() == 1);
  CHECK(own[0].target == 2_GiB - 300_MiB);
}

TEST_CASE("a domain that has started counts by itself, and its reserve holds the rest") {
  const World started =
      roomy().domain("web", actual(512_MiB), maximum(512_MiB), rss(100_MiB), no_report());
  const MemorySize without = Observed(started).situation().grantable;
  const MemorySize overhead = ProcessOverhead::usual(512_MiB);
  const Observed covered(with(started, {reserve_of("web", 512_MiB + overhead)}));
  CHECK(covered.situation().reserved == 0_MiB);
  CHECK(covered.situation().grantable == without);
  const Observed larger(with(started, {reserve_of("web", 600_MiB + overhead)}));
  CHECK(larger.situation().reserved == 88_MiB);
}

TEST_CASE("a node's pool keeps its part of what is reserved") {
  const World world = World()
                          .host(8_GiB, free(4_GiB), node(0, 4_GiB, 2_GiB), node(1, 4_GiB, 2_GiB))
                          .domain("a", actual(1_GiB), rss(1_GiB), unused(50_MiB), bound_to({0}));
  const MemorySize before = Observed(world).decide("a", 4_GiB).target;
  const Observed observed(with(world, {reserve_of("web", 1_GiB)}));
  CHECK(observed.decide("a", 4_GiB).target == before - 512_MiB);
}

TEST_CASE("a reserve ends when its guest reports, not by a report from before it") {
  ReserveBook book;
  Reserve reserve = reserve_of("web", 1_GiB);
  reserve.since = WallTime(100s);
  book.add(reserve);
  CHECK(in_force(book, World().domain("web", reports_at(WallTime(99s)))).size() == 1);
  CHECK(in_force(book, World().domain("web", no_report())).size() == 1);
  CHECK(in_force(book, World().domain("other", reports_at(WallTime(102s)))).size() == 1);
  CHECK(in_force(book, World().domain("web", reports_at(WallTime(102s)))).empty());
}

TEST_CASE("a reserve for a name that never starts ends by its time, with one note") {
  ReserveBook book;
  Snapshot now = World().domain("a");
  book.add(reserve_of("web", 1_GiB, now.taken_at + 60s));
  CHECK(book.apply(now).empty());
  Snapshot later = World().domain("a").at(60s);
  later.taken_at = now.taken_at + 60s;
  const auto notes = book.apply(later);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].text ==
        "web: the reserve of 1 GiB ends: its time is over, and the domain has not started");
  CHECK(later.reserves.empty());
  CHECK(book.apply(later).empty());
}

TEST_CASE("a second reserve for a domain replaces the first in its place") {
  ReserveBook book;
  book.add(reserve_of("web", 1_GiB));
  book.add(reserve_of("db", 1_GiB));
  book.add(reserve_of("web", 2_GiB));
  Snapshot snapshot = World();
  book.apply(snapshot);
  REQUIRE(snapshot.reserves.size() == 2);
  CHECK(snapshot.reserves[0].name == "web");
  CHECK(snapshot.reserves[0].size == 2_GiB);
}

TEST_CASE("a reserve is released by name or UUID, once") {
  ReserveBook book;
  Reserve reserve = reserve_of("web", 1_GiB);
  reserve.uuid = id("web");
  book.add(reserve);
  CHECK_FALSE(book.release("db"));
  CHECK(book.release(id("web").text()));
  CHECK_FALSE(book.release("web"));
}

TEST_CASE("there is an end to the number of reserves") {
  ReserveBook book;
  for (std::size_t i = 0; i < ReserveBook::kMost; ++i) {
    REQUIRE(book.add(reserve_of("d" + std::to_string(i), 1_MiB)));
  }
  CHECK_FALSE(book.add(reserve_of("one more", 1_MiB)));
  CHECK(book.add(reserve_of("d0", 2_MiB)));
  CHECK(in_force(book, World()).size() == ReserveBook::kMost);
}

TEST_CASE("a snapshot's reserves count for domains that have not started") {
  const Snapshot snapshot = with(
      World().domain("started"),
      {reserve_of("first", 300_MiB), reserve_of("started", 1_GiB), reserve_of("last", 200_MiB)});
  CHECK(reserved_in(snapshot) == 500_MiB);
}

TEST_CASE("the oldest reserve is ready first") {
  Tick tick;
  tick.snapshot = World().domain("started");
  tick.snapshot.reserves = {reserve_of("first", 300_MiB), reserve_of("second", 200_MiB),
                            reserve_of("started", 1_GiB)};
  const auto ready = [&](MemorySize shortfall) {
    tick.account.shortfall = shortfall;
    return ready_reserves(tick);
  };
  CHECK(ready(0_MiB) == std::vector{true, true, true});
  CHECK(ready(1_MiB) == std::vector{true, false, true});
  CHECK(ready(200_MiB) == std::vector{true, false, true});
  CHECK(ready(201_MiB) == std::vector{false, false, true});
}

TEST_CASE("the coordinator reclaims for a reserve, and grants nothing of it to others") {
  CoordinatorHarness harness({tight()}, asks({{"a", 4_GiB}}));
  harness.coordinator.reserve(reserve_of("web", 300_MiB));
  CHECK(harness.coordinator.wants_tick());
  const Tick first = harness.coordinator.tick();
  CHECK_FALSE(harness.coordinator.wants_tick());
  REQUIRE(first.decisions.size() == 1);
  CHECK(first.decisions[0].target == 2_GiB - 300_MiB);
  CHECK(rules_of(first.decisions[0]) == std::vector{Rule::reserve});
  CHECK(first.account.reserved == 300_MiB);
  CHECK(first.again == Duration());
  CHECK(ready_reserves(first) == std::vector{false});
  const Tick second = harness.coordinator.tick();
  CHECK(second.grantable == 0_MiB);
  CHECK(ready_reserves(second) == std::vector{true});
  CHECK(harness.coordinator.release("web"));
  CHECK(harness.coordinator.tick().account.reserved == 0_MiB);
}

TEST_CASE("grows that wait for released memory do not take what is reserved") {
  // "a" gives 500 MiB in the tick in which "b" wants all that there is.
  const World world = World()
                          .host(8_GiB, free(250_MiB))
                          .domain("a", actual(2_GiB), unused(1_GiB), rss(2_GiB))
                          .domain("b", actual(1_GiB), unused(50_MiB), rss(1_GiB));
  CoordinatorHarness harness({world}, asks({{"a", 2_GiB - 500_MiB}, {"b", 3_GiB}}));
  harness.coordinator.reserve(reserve_of("web", 400_MiB));
  const Tick tick = harness.coordinator.tick();
  MemorySize given;
  for (const Outcome& outcome : tick.outcomes) {
    if (outcome.to > outcome.from) given += outcome.to - outcome.from;
  }
  CHECK(given <= 500_MiB - 400_MiB + 50_MiB);
  CHECK(harness.coordinator.tick().account.shortfall == 0_MiB);
}

TEST_CASE("a request brings the next tick forward, and the interval counts from it") {
  const MonotonicTime start{};
  TickRhythm rhythm(10s, 200ms, start);
  (void)rhythm.next({}, start, start);
  rhythm.bring_forward(start, start + 50ms);
  CHECK(rhythm.due() == start + 200ms);
  (void)rhythm.next({}, start + 200ms, start + 210ms);
  CHECK(rhythm.due() == start + 10200ms);
  rhythm.bring_forward(start + 200ms, start + 5s);
  CHECK(rhythm.due() == start + 5s);
}
