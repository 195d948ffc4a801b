#include "engine/core/restoration.h"

#include <doctest/doctest.h>

#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

const World kRoomy = World().host(8_GiB, free(4_GiB)).domain("a", unused(800_MiB));

}  // namespace

TEST_CASE("restore gives every moved domain the memory it had before its first move") {
  const World world = World().host(8_GiB, free(4_GiB)).domain("a", unused(800_MiB)).domain("b");
  const World later =
      World().at(2s).host(8_GiB, free(4_GiB)).domain("a", unused(676_MiB)).domain("b");
  CoordinatorHarness harness({world, later}, asks({{"a", 900_MiB}}));
  harness.coordinator.tick();
  harness.coordinator.replace_policy(asks({{"a", 800_MiB}}));
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored);
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().domain == id("a"));
  CHECK(restored->front().whole());
  CHECK(harness.hypervisor.moves.back().to == 1_GiB);
  // A second restore moves nothing.
  const std::size_t moves = harness.hypervisor.moves.size();
  (void)harness.coordinator.restore();
  CHECK(harness.hypervisor.moves.size() == moves);
}

TEST_CASE("restore waits for memory that is being released, even after a signal ended the run") {
  const auto snapshot_at = [](Duration at, MemorySize hosts) {
    return World()
        .at(at)
        .host(8_GiB, free(hosts))
        .domain("a", unused(800_MiB))
        .domain("b", unused(800_MiB));
  };
  // The memory that b releases shows in the third snapshot.
  CoordinatorHarness harness(
      {snapshot_at(0s, 300_MiB), snapshot_at(0s, 300_MiB), snapshot_at(2s, 200_MiB),
       snapshot_at(2s, 200_MiB), snapshot_at(2s, 500_MiB)},
      asks({{"a", 724_MiB}, {"b", 1324_MiB}}));
  harness.coordinator.tick();
  REQUIRE(harness.hypervisor.moves.back().to == 1324_MiB);
  harness.hypervisor.ignoring = {id("b")};
  harness.clock.asked_to_end = true;
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored);
  REQUIRE(restored->size() == 2);
  for (const Restored& one : *restored) {
    CAPTURE(one.name);
    CAPTURE(one.why);
    CHECK(one.whole());
  }
  CHECK(harness.hypervisor.moves.back() == Move{id("a"), 724_MiB, 1_GiB});
}

TEST_CASE("restore reports a domain once even if it goes in steps") {
  const auto snapshot_at = [](Duration at, MemorySize hosts, MemorySize has) {
    return World().at(at).host(8_GiB, free(hosts)).domain("a", actual(has), unused(800_MiB));
  };
  // (The fake host adds the 400 MiB of the move to its free memory.)
  CoordinatorHarness harness({snapshot_at(0s, 4_GiB, 1_GiB), snapshot_at(2s, 0_MiB, 1_GiB),
                              snapshot_at(2s, 150_MiB, 1_GiB)},
                             asks({{"a", 624_MiB}}));
  harness.coordinator.tick();
  harness.hypervisor.ignoring = {id("a")};
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored);
  CHECK(harness.hypervisor.moves.size() == 3);
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().has == 974_MiB);
}

TEST_CASE("restore waits for the report that the guard needs before a shrink") {
  const auto snapshot_at = [](Duration at, Duration reported, MemorySize left) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", unused(left), reported_ago(at - reported));
  };
  // In the first snapshot the guest has not reported since its grow, in the third not since its
  // first shrink.
  CoordinatorHarness harness(
      {snapshot_at(0s, 0s, 100_MiB), snapshot_at(1s, 0s, 100_MiB), snapshot_at(3s, 2s, 600_MiB),
       snapshot_at(3s, 2s, 600_MiB), snapshot_at(5s, 4s, 300_MiB)},
      asks({{"a", 1424_MiB}}));
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CAPTURE(restored->front().why);
  CHECK(restored->front().whole());
  CHECK(harness.hypervisor.moves == std::vector{Move{id("a"), 1_GiB, 1424_MiB},
                                                Move{id("a"), 1424_MiB, 1124_MiB},
                                                Move{id("a"), 1124_MiB, 1_GiB}});
}

TEST_CASE("restore does not wait if waiting cannot help") {
  CoordinatorHarness harness({World().host(8_GiB, free(4_GiB)).domain("a", unused(50_MiB)),
                              World().at(2s).host(8_GiB, free(4_GiB)).domain("a", unused(90_MiB))},
                             asks({{"a", 2_GiB}}));
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  CHECK(restored->front().has == 2_GiB);
  CHECK(restored->front().why.find("its floor is 100 MiB") != std::string::npos);
  CHECK(harness.clock.slept() == 0s);
}

TEST_CASE("restore without a sample of the host moves nothing and returns the error") {
  CoordinatorHarness harness({kRoomy}, asks({{"a", 900_MiB}}));
  harness.coordinator.tick();
  harness.hypervisor.down = Error{ErrorCode::unavailable, "fake:", "down", {}, {}};
  const auto restored = harness.coordinator.restore();
  REQUIRE_FALSE(restored);
  CHECK(restored.error().message == "down");
  CHECK(harness.hypervisor.moves.size() == 1);
}

TEST_CASE("restore skips a domain that was started again and not moved since") {
  const auto snapshot_at = [](Duration at, int start, MemorySize has) {
    return World()
        .at(at)
        .host(64_GiB, free(40_GiB))
        .domain("a", numbered(start), actual(has), unused(3_GiB));
  };
  SUBCASE("between two observations") {
    CoordinatorHarness harness({snapshot_at(0s, 1, 4_GiB), snapshot_at(60s, 2, 8_GiB)},
                               asks({{"a", 5_GiB}}));
    harness.coordinator.tick();
    harness.coordinator.replace_policy(asks({}));
    harness.coordinator.tick();
    CHECK(harness.coordinator.restore()->empty());
    CHECK(harness.hypervisor.moves.size() == 1);
  }
  SUBCASE("and was missing from a snapshot_at meanwhile") {
    CoordinatorHarness harness(
        {snapshot_at(0s, 0, 4_GiB), World().at(2s), snapshot_at(60s, 0, 8_GiB)},
        asks({{"a", 5_GiB}}));
    harness.coordinator.tick();
    harness.coordinator.replace_policy(asks({}));
    harness.coordinator.tick();
    harness.coordinator.tick();
    CHECK(harness.coordinator.restore()->empty());
    CHECK(harness.hypervisor.moves.size() == 1);
  }
}

TEST_CASE("restore includes a domain whose guest rebooted") {
  Snapshot rebooted = World().at(4s).host(8_GiB, free(4_GiB)).domain("a", numbered(1));
  rebooted.domains[0].started_at = rebooted.taken_at;
  CoordinatorHarness harness(
      {World().host(8_GiB, free(4_GiB)).domain("a", numbered(1), unused(800_MiB)), rebooted},
      asks({{"a", 900_MiB}}));
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().had == 1_GiB);
  CHECK(restored->front().whole());
}

TEST_CASE("restore includes a domain whose only move has an unknown outcome") {
  const auto snapshot_at = [](Duration at, MemorySize has) {
    return World().at(at).host(8_GiB, free(4_GiB)).domain("a", actual(has), unused(800_MiB));
  };
  CoordinatorHarness harness({snapshot_at(0s, 1_GiB), snapshot_at(2s, 900_MiB)},
                             asks({{"a", 900_MiB}}));
  harness.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  harness.coordinator.tick();
  harness.hypervisor.outcomes.clear();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().had == 1_GiB);
  CHECK(restored->front().whole());
}

TEST_CASE("restore reports a balloon that may still move afterwards") {
  CoordinatorHarness harness({kRoomy}, asks({{"a", 900_MiB}}));
  harness.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK_FALSE(restored->front().whole());
  CHECK(restored->front().why.find("to 900 MiB has not been answered") != std::string::npos);
}

TEST_CASE("restore undoes a move that a late answer reports as applied") {
  CoordinatorHarness harness({kRoomy}, asks({{"a", 1100_MiB}}));
  harness.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  harness.coordinator.tick();
  harness.hypervisor.outcomes.clear();
  harness.hypervisor.late = {{id("a"), 1_GiB, 900_MiB, Outcome::Kind::applied, {}}};
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().whole());
  REQUIRE_FALSE(harness.hypervisor.moves.empty());
  CHECK(harness.hypervisor.moves.back().to == 1_GiB);
}

TEST_CASE("restore skips a domain that turned out never to have been moved") {
  CoordinatorHarness harness({kRoomy}, asks({{"a", 900_MiB}}));
  harness.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  harness.coordinator.tick();
  harness.hypervisor.late = {{id("a"), 1_GiB, 900_MiB, Outcome::Kind::failed, {}}};
  harness.coordinator.replace_policy(asks({}));
  harness.coordinator.tick();
  CHECK(harness.coordinator.restore()->empty());
}

TEST_CASE("restore does not shrink a guest below the domain floor") {
  const auto snapshot_at = [](Duration at, MemorySize has, MemorySize left) {
    return World().at(at).host(8_GiB, free(4_GiB)).domain("a", actual(has), unused(left));
  };
  CoordinatorHarness harness({snapshot_at(0s, 1_GiB, 50_MiB), snapshot_at(2s, 2_GiB, 120_MiB)},
                             asks({{"a", 2_GiB}}));
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().has == 2_GiB - 20_MiB);
  CHECK(restored->front().had == 1_GiB);
  CHECK(restored->front().why.find("its floor is 100 MiB") != std::string::npos);
}

TEST_CASE("restore respects a maximum that was configured meanwhile") {
  const auto snapshot_at = [](Duration at, MemorySize has) {
    return World().at(at).host(8_GiB, free(4_GiB)).domain("a", actual(has), unused(800_MiB));
  };
  Snapshot later = snapshot_at(2s, 700_MiB);
  DomainIdentity limited = *later.domains[0].identity;
  limited.settings.maximum = 900_MiB;
  later.domains[0].identity = std::make_shared<const DomainIdentity>(limited);
  CoordinatorHarness harness({snapshot_at(0s, 1_GiB), later}, asks({{"a", 700_MiB}}));
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().has == 900_MiB);
  CHECK(harness.hypervisor.moves.back() == Move{id("a"), 700_MiB, 900_MiB});
  CHECK(restored->front().why == "passes its maximum of 900 MiB");
}

TEST_CASE("restore moves no domain that the guard skips") {
  const auto snapshot_at = [](Duration at, MemorySize has, DomainProperty property) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(has), unused(800_MiB), property);
  };
  const auto moves_after = [&](DomainProperty property) {
    CoordinatorHarness harness(
        {snapshot_at(0s, 1_GiB, state(DomainState::running)), snapshot_at(2s, 700_MiB, property)},
        asks({{"a", 700_MiB}}));
    harness.coordinator.tick();
    const auto restored = harness.coordinator.restore();
    CHECK(restored->front().has == 700_MiB);
    CHECK_FALSE(restored->front().why.empty());
    return harness.hypervisor.moves.size() - 1;
  };
  CHECK(moves_after(state(DomainState::paused)) == 0);
  CHECK(moves_after(state(DomainState::migrating)) == 0);
  CHECK(moves_after(excluded()) == 0);
}

TEST_CASE("restore needs a fresh report for a shrink, and none for a grow") {
  const auto snapshot_at = [](Duration at, MemorySize as, MemorySize bs) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(as), unused(800_MiB), reported_ago(at))
        .domain("b", actual(bs), unused(800_MiB), reported_ago(at));
  };
  CoordinatorHarness harness({snapshot_at(0s, 1_GiB, 1_GiB), snapshot_at(60s, 700_MiB, 1200_MiB)},
                             asks({{"a", 700_MiB}, {"b", 1200_MiB}}));
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 2);
  CHECK((*restored)[0].whole());
  CHECK((*restored)[1].has == 1200_MiB);
}

TEST_CASE("observers get one tick of a restore, with one decision for each domain") {
  struct Keep final : Observer {
    void observe(const Tick& tick) override { ticks.push_back(tick); }
    std::vector<Tick> ticks;
  } keep;
  const auto snapshot_at = [](Duration at, MemorySize as, MemorySize bs) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(as), unused(800_MiB))
        .domain("b", actual(bs), unused(200_MiB));
  };
  CoordinatorHarness harness({snapshot_at(0s, 1_GiB, 1_GiB), snapshot_at(2s, 700_MiB, 1400_MiB)},
                             asks({{"a", 700_MiB}, {"b", 1400_MiB}}));
  harness.coordinator.add_observer(keep);
  harness.coordinator.tick();
  (void)harness.coordinator.restore();
  REQUIRE(keep.ticks.size() == 2);
  const Tick& record = keep.ticks[1];
  CHECK_FALSE(keep.ticks[0].restoring);
  CHECK(record.restoring);
  CHECK(record.number == 2);
  REQUIRE(record.decisions.size() == 2);
  CHECK(record.decisions[0].actual == 700_MiB);
  CHECK(record.decisions[0].target == 1_GiB);
  CHECK(record.decisions[0].why == "gets back the memory it had");
  CHECK(record.decisions[0].rules.empty());
  CHECK(record.decisions[1].proposed == 1_GiB);
  CHECK(record.decisions[1].target == 1300_MiB);
  CHECK(record.decisions[1].rules.back().rule == Rule::fresh_stats);
  CHECK(record.outcomes.size() == 2);
  SUBCASE("and not at all where nothing was moved") {
    CoordinatorHarness idle({kRoomy}, asks({}));
    Keep none;
    idle.coordinator.add_observer(none);
    idle.coordinator.tick();
    (void)idle.coordinator.restore();
    CHECK(none.ticks.size() == 1);
  }
}

TEST_CASE("restore gives no more than the host has above its floor") {
  const auto snapshot_at = [](Duration at, MemorySize has, MemorySize hosts) {
    return World().at(at).host(8_GiB, free(hosts)).domain("a", actual(has), unused(800_MiB));
  };
  // The host has used the memory that the domain released. (The fake host adds the move's 400 MiB.)
  CoordinatorHarness harness({snapshot_at(0s, 1_GiB, 4_GiB), snapshot_at(2s, 1_GiB, 0_MiB)},
                             asks({{"a", 624_MiB}}));
  harness.coordinator.tick();
  const auto restored = harness.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().has == 824_MiB);
  CHECK_FALSE(restored->front().whole());
  CHECK(restored->front().why == "the host has nothing to give above its floor");
}
