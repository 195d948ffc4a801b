#include "engine/core/balloon_mover.h"

#include <doctest/doctest.h>

#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// A host with nothing to give, a domain that is short and one that has plenty.
const World kTight = World()
                         .host(8_GiB, free(200_MiB))
                         .domain("poor", actual(512_MiB), unused(20_MiB))
                         .domain("rich", unused(800_MiB));

}  // namespace

TEST_CASE("shrinks go first, and grows wait for the memory they release") {
  CoordinatorHarness harness({kTight}, asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  const Tick tick = harness.coordinator.tick();
  REQUIRE(harness.hypervisor.moves.size() == 2);
  CHECK(harness.hypervisor.moves[0].domain == id("rich"));
  CHECK(harness.hypervisor.moves[1] == Move{id("poor"), 512_MiB, 900_MiB});
  CHECK(harness.clock.slept() <= 100ms);
  CHECK(tick.decisions.size() == 2);
}

TEST_CASE("a grow gets only what the host has if the guest does not follow its shrink") {
  const World tight = World()
                          .host(8_GiB, free(250_MiB))
                          .domain("poor", actual(512_MiB), unused(20_MiB))
                          .domain("rich", unused(800_MiB));
  CoordinatorHarness harness({tight}, asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  harness.hypervisor.ignoring = {id("rich")};
  const Tick tick = harness.coordinator.tick();
  REQUIRE(harness.hypervisor.moves.size() == 2);
  CHECK(harness.hypervisor.moves[1].to == 562_MiB);
  CHECK(harness.clock.slept() == 1s);
}

TEST_CASE("a grow that the host can serve at once does not wait for a larger one") {
  const World tight = World()
                          .host(8_GiB, free(250_MiB))
                          .domain("little", actual(512_MiB), unused(20_MiB))
                          .domain("much", actual(512_MiB), unused(20_MiB))
                          .domain("rich", unused(800_MiB));
  CoordinatorHarness harness({tight},
                             asks({{"little", 532_MiB}, {"much", 900_MiB}, {"rich", 624_MiB}}));
  harness.hypervisor.ignoring = {id("rich")};
  const Tick tick = harness.coordinator.tick();
  REQUIRE(harness.hypervisor.moves.size() == 3);
  CHECK(harness.hypervisor.moves[0].domain == id("rich"));
  // The small grow goes before any wait; the large one gets the rest when the wait ends.
  CHECK(harness.hypervisor.moves[1] == Move{id("little"), 512_MiB, 532_MiB});
  CHECK(harness.hypervisor.moves[2] == Move{id("much"), 512_MiB, 542_MiB});
  CHECK(tick.decisions.size() == 3);
  CHECK(tick.outcomes.size() == 3);
}

TEST_CASE("a large grow goes in steps that are worth a call, as its memory is released") {
  const auto snapshot_with = [](MemorySize set_free) {
    return World()
        .host(8_GiB, free(200_MiB + set_free))
        .domain("poor", actual(512_MiB), unused(20_MiB))
        .domain("rich", actual(1_GiB - set_free), unused(800_MiB - set_free));
  };
  CoordinatorHarness harness({snapshot_with(0_MiB), snapshot_with(100_MiB), snapshot_with(140_MiB),
                              snapshot_with(400_MiB)},
                             asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  harness.hypervisor.ignoring = {id("rich")};
  const Tick tick = harness.coordinator.tick();
  CHECK(harness.hypervisor.moves == std::vector{Move{id("rich"), 1_GiB, 624_MiB},
                                                Move{id("poor"), 512_MiB, 612_MiB},
                                                // 40 MiB are less than a quarter of what it lacks
                                                Move{id("poor"), 612_MiB, 900_MiB}});
  CHECK(harness.clock.slept() == 300ms);
  CHECK(tick.decisions.size() == 2);
  CHECK(tick.outcomes.size() == 3);
}

TEST_CASE("a tick that does not need the memory of its shrinks does not wait") {
  CoordinatorHarness harness(
      {World().host(8_GiB, free(4_GiB)).domain("a").domain("b", unused(800_MiB))},
      asks({{"a", 1200_MiB}, {"b", 900_MiB}}));
  harness.coordinator.tick();
  CHECK(harness.clock.slept() == 0s);
  CHECK(harness.hypervisor.samples == 1);
}

TEST_CASE("a domain whose step failed gets no other step in its tick") {
  const auto snapshot_with = [](MemorySize set_free) {
    return World()
        .host(8_GiB, free(200_MiB + set_free))
        .domain("poor", actual(512_MiB), unused(20_MiB))
        .domain("rich", actual(1_GiB - set_free), unused(800_MiB - set_free));
  };
  CoordinatorHarness harness({snapshot_with(0_MiB), snapshot_with(100_MiB), snapshot_with(400_MiB)},
                             asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  harness.hypervisor.ignoring = {id("rich")};
  harness.hypervisor.outcomes[id("poor")] = Outcome::Kind::failed;
  const Tick tick = harness.coordinator.tick();
  CHECK(harness.hypervisor.moves ==
        std::vector{Move{id("rich"), 1_GiB, 624_MiB}, Move{id("poor"), 512_MiB, 612_MiB}});
  CHECK(tick.outcomes.back().kind == Outcome::Kind::failed);
}

TEST_CASE("an outcome carries the time of its step") {
  CoordinatorHarness harness({kTight}, asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  const Tick tick = harness.coordinator.tick();
  REQUIRE(tick.outcomes.size() == 2);
  CHECK(tick.outcomes[0].at == tick.snapshot.taken_at);
  CHECK(tick.outcomes[1].at == tick.snapshot.taken_at + 100ms);
}

TEST_CASE("domains that grow in steps share released memory by weight") {
  // The host has 30 MiB to give: a quarter of what "little" lacks are 20 MiB, its share.
  const World scarce = World()
                           .host(8_GiB, free(230_MiB))
                           .domain("large", actual(512_MiB), unused(20_MiB), weight(1))
                           .domain("little", actual(512_MiB), unused(20_MiB), weight(2))
                           .domain("rich", unused(800_MiB));
  CoordinatorHarness harness({scarce},
                             asks({{"large", 900_MiB}, {"little", 592_MiB}, {"rich", 624_MiB}}));
  harness.hypervisor.ignoring = {id("rich")};
  harness.coordinator.tick();
  CHECK(harness.hypervisor.moves == std::vector{Move{id("rich"), 1_GiB, 624_MiB},
                                                Move{id("large"), 512_MiB, 522_MiB},
                                                Move{id("little"), 512_MiB, 532_MiB}});
}
