#include <doctest/doctest.h>

#include <numeric>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

using Rules = std::vector<Rule>;

MemorySize grantable(const World& world, Limits limits = {}) {
  const Seen seen(world, limits);
  return guard::grantable(seen.snapshot(), seen.history(), limits);
}

}  // namespace

// --- what the host may give ---

TEST_CASE("the host may give what it has free above its floor") {
  CHECK(grantable(World().host(8_GiB, free(1_GiB)).domain("a")) == 824_MiB);
  CHECK(grantable(World().host(8_GiB, free(200_MiB)).domain("a")) == 0_MiB);
  CHECK(grantable(World().host(8_GiB, free(10_MiB)).domain("a")) == 0_MiB);
}

TEST_CASE("memory that is promised but not yet backed counts as taken, QEMU's own included") {
  CHECK(grantable(World().host(8_GiB, free(1_GiB)).domain("a", actual(1_GiB), rss(724_MiB))) ==
        524_MiB - 64_MiB);
  // A grow in flight is a promise from the moment it is asked for.
  Seen seen(World().host(8_GiB, free(1_GiB)).domain("a", actual(512_MiB)));
  seen.moved("a", 812_MiB);
  CHECK(guard::grantable(seen.snapshot(), seen.history(), {}) == 524_MiB);
}

TEST_CASE("a grow whose outcome is unknown is a promise, a shrink whose outcome is frees nothing") {
  Seen grow(World().host(8_GiB, free(1_GiB)).domain("a", actual(512_MiB)));
  grow.moved("a", 812_MiB, Outcome::Kind::unknown);
  CHECK(guard::grantable(grow.snapshot(), grow.history(), {}) == 524_MiB);
  Seen shrink(World().host(8_GiB, free(1_GiB)).domain("a", actual(512_MiB)));
  shrink.moved("a", 812_MiB).moved("a", 412_MiB, Outcome::Kind::unknown);
  CHECK(guard::grantable(shrink.snapshot(), shrink.history(), {}) == 524_MiB);
}

TEST_CASE("where it is not told what a domain holds, it holds no more than it was last seen to") {
  const auto left = [](auto... says) {
    Seen seen(World().host(8_GiB, free(4_GiB)).domain("a", actual(1_GiB)));
    seen.moved("a", 2_GiB);
    Snapshot later = World().at(2s).host(8_GiB, free(4_GiB)).domain("a", says...);
    later.domains[0].rss.reset();
    seen.then(later);
    return guard::grantable(seen.snapshot(), seen.history(), {});
  };
  CHECK(left(actual(1_GiB)) == 4_GiB - 200_MiB - 1_GiB);
  // Somebody has shrunk it, or it is another process.
  CHECK(left(actual(512_MiB)) == 4_GiB - 200_MiB - 1536_MiB);
  CHECK(left(actual(1_GiB), maximum(2_GiB), started_ago(1s)) == 4_GiB - 200_MiB - 2_GiB);
}

TEST_CASE("paused and unsuitable domains keep what they were promised") {
  CHECK(grantable(World()
                      .host(8_GiB, free(1_GiB))
                      .domain("a", rss(924_MiB), state(DomainState::paused))
                      .domain("b", rss(924_MiB), unsuitable("VFIO"))) == 624_MiB - 2 * 64_MiB);
}

TEST_CASE("a budget counts what the domains hold against it, not what the machine has free") {
  Limits limits;
  limits.host_memory = 3_GiB;
  const World world = World().host(64_GiB, free(60_GiB)).domain("a").domain("b");
  CHECK(grantable(world, limits) == 824_MiB);
  limits.host_memory = 2_GiB;
  CHECK(grantable(world, limits) == 0_MiB);
  // A machine that has less free than the budget leaves is the narrower.
  limits.host_memory = 3_GiB;
  CHECK(grantable(World().host(64_GiB, free(500_MiB)).domain("a").domain("b"), limits) == 300_MiB);
}

TEST_CASE("a budget that is overdrawn is paid back before shrinks feed grows") {
  Limits limits;
  limits.host_memory = 2_GiB;
  // The domains hold 3 GiB: 1 GiB too much, and the floor of 200 MiB is owed as well.
  const Seen seen(World()
                      .host(64_GiB, free(32_GiB))
                      .domain("poor", actual(1_GiB), unused(20_MiB))
                      .domain("rich", actual(2_GiB), unused(1800_MiB)),
                  limits);
  CHECK(guard::balance(seen.snapshot(), seen.history(), limits).owed == 1_GiB + 200_MiB);
  const auto decisions = seen.decide({{"poor", 2_GiB}, {"rich", 1_GiB + 124_MiB}});
  CHECK(decisions[1].target == 1_GiB + 124_MiB);
  CHECK(decisions[0].holds());
}

TEST_CASE("the host gives from the larger of free and available, and by unused from what is free") {
  Limits limits;
  const World cached = World().host(8_GiB, free(300_MiB), available(2_GiB)).domain("a");
  const World empty = World().host(8_GiB, free(2_GiB), available(1900_MiB)).domain("a");
  CHECK(grantable(cached) == 1848_MiB);
  CHECK(grantable(empty) == 1848_MiB);
  limits.headroom = Headroom::usable;
  CHECK(grantable(cached, limits) == 1848_MiB);
  CHECK(grantable(empty, limits) == 1700_MiB);
  limits.headroom = Headroom::unused;
  CHECK(grantable(cached, limits) == 100_MiB);
  CHECK(grantable(empty, limits) == 1848_MiB);
}

// --- host_floor ---

TEST_CASE("host_floor lets no grow take the host under 200 MiB free") {
  const Seen seen(World().host(8_GiB, free(500_MiB)).domain("a"));
  const Decision d = seen.decide("a", 2_GiB);
  CHECK(d.target == 1_GiB + 300_MiB);
  CHECK(rules_of(d) == Rules{Rule::host_floor});
  CHECK(seen.decide("a", 1_GiB + 300_MiB).rules.empty());
}

TEST_CASE("host_floor grants nothing on a host at its floor") {
  const Seen seen(World().host(8_GiB, free(200_MiB)).domain("a"));
  const Decision d = seen.decide("a", 2_GiB);
  CHECK(d.holds());
  CHECK(rules_of(d) == Rules{Rule::host_floor});
}

TEST_CASE("a grow may count on what the same tick's shrinks set free, after their own clamps") {
  const Seen seen(World()
                      .host(8_GiB, free(200_MiB))
                      .domain("poor", actual(512_MiB), unused(20_MiB))
                      .domain("rich", actual(1_GiB), unused(800_MiB)));
  const auto decisions = seen.decide({{"poor", 1_GiB}, {"rich", 512_MiB}});
  CHECK(decisions[1].target == 1_GiB - 400_MiB);  // gradual
  CHECK(decisions[0].target == 912_MiB);
}

TEST_CASE("a grow that was promised before costs nothing again") {
  Seen seen(World().host(8_GiB, free(500_MiB)).domain("a", actual(512_MiB)));
  seen.moved("a", 812_MiB);
  // All of the 300 MiB that the host can give is on its way to this domain.
  seen.then(World().host(8_GiB, free(500_MiB)).at(2s).domain("a", actual(512_MiB), rss(512_MiB)));
  CHECK(guard::grantable(seen.snapshot(), seen.history(), {}) == 0_MiB);
  CHECK(seen.decide("a", 812_MiB).target == 812_MiB);
  CHECK(seen.decide("a", 900_MiB).target == 812_MiB);
}

TEST_CASE("what the host owes is what has to be freed before it can give anything") {
  const Seen seen(
      World().host(8_GiB, free(500_MiB)).domain("a", actual(1_GiB), unused(800_MiB), rss(424_MiB)));
  const guard::HostBalance host = guard::balance(seen.snapshot(), seen.history(), {});
  CHECK(host.grantable == 0_MiB);
  CHECK(host.owed == 300_MiB + 64_MiB);
}

TEST_CASE("a shrink pays what the host owes before it feeds a grow") {
  const Seen seen(World()
                      .host(8_GiB, free(500_MiB))
                      .domain("poor", actual(512_MiB), unused(20_MiB))
                      .domain("rich", actual(1_GiB), unused(800_MiB), rss(424_MiB)));
  const auto decisions = seen.decide({{"poor", 1_GiB}, {"rich", 512_MiB}});
  CHECK(decisions[1].target == 1_GiB - 400_MiB);  // gradual
  CHECK(decisions[0].target == 512_MiB + 100_MiB - 64_MiB);
}

// --- share_out ---

TEST_CASE(
    "share_out scales grants that together pass what there is, never first come first served") {
  const Seen seen(World().host(8_GiB, free(500_MiB)).domain("a").domain("b").domain("c"));
  const auto decisions = seen.decide({{"a", 2_GiB}, {"b", 2_GiB}, {"c", 1_GiB + 20_MiB}});
  CHECK(decisions[2].target == 1_GiB + 20_MiB);
  CHECK(decisions[0].target == 1_GiB + 140_MiB);
  CHECK(decisions[1].target == 1_GiB + 140_MiB);
  CHECK(rules_of(decisions[0]) == Rules{Rule::share_out});
  CHECK(decisions[2].rules.empty());
}

TEST_CASE("share_out goes by weight, and gives what one does not need to the others") {
  const auto share = [](std::vector<guard::Want> wants) {
    return guard::share_out(400_MiB, wants);
  };
  CHECK(share({{1_GiB, 3}, {1_GiB, 1}}) == std::vector{300_MiB, 100_MiB});
  CHECK(share({{50_MiB, 3}, {1_GiB, 1}}) == std::vector{50_MiB, 350_MiB});
  CHECK(share({{10_MiB, 1}, {20_MiB, 1}}) == std::vector{10_MiB, 20_MiB});
  CHECK(share({{1_GiB, -1}, {1_GiB, std::numeric_limits<double>::infinity()}}) ==
        std::vector{200_MiB, 200_MiB});
  CHECK(share({}).empty());
}

// --- settle ---

TEST_CASE("equal wants get equal shares, whatever their order") {
  const std::vector<guard::Want> wants{{2_KiB, 1}, {2_KiB, 1}, {7_KiB, 1}};
  const auto shares = guard::share_out(3_KiB, wants);
  CHECK(shares == std::vector{1_KiB, 1_KiB, 1_KiB});
  CHECK(guard::share_out(4_KiB, std::vector<guard::Want>{{3_KiB, 1}, {3_KiB, 1}, {3_KiB, 1}}) ==
        std::vector{1_KiB, 1_KiB, 1_KiB});
}

TEST_CASE("settle gives only what the shrinks have really set free") {
  const World before = World()
                           .host(8_GiB, free(200_MiB))
                           .domain("poor", actual(512_MiB), unused(20_MiB))
                           .domain("rich", actual(1_GiB), unused(800_MiB));
  const Seen seen(before);
  const auto decisions = seen.decide({{"poor", 1_GiB}, {"rich", 512_MiB}});
  // The guest has handed over a quarter so far.
  const Snapshot later = World()
                             .host(8_GiB, free(300_MiB))
                             .domain("poor", actual(512_MiB), unused(20_MiB))
                             .domain("rich", actual(924_MiB), unused(700_MiB));
  const auto settled = guard::settle(decisions, later, seen.history(), {});
  CHECK(settled[0].target == 612_MiB);
  CHECK(rules_of(settled[0]) == Rules{Rule::host_floor});
  CHECK(settled[1] == decisions[1]);
}

TEST_CASE("settle gives nothing to a domain that has gone meanwhile") {
  const Seen seen(World().domain("a"));
  const auto decisions = seen.decide({{"a", 2_GiB}});
  const auto settled = guard::settle(decisions, World().domain("b"), seen.history(), {});
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].holds());
}

// --- hints ---

TEST_CASE("by --headroom unused, a domain full of page cache is told of, with figures and option") {
  Limits limits;
  limits.headroom = Headroom::unused;
  const Snapshot world = World()
                             .domain("a", unused(110_MiB), usable(900_MiB))
                             .domain("b", unused(50_MiB), usable(700_MiB))
                             .domain("full", unused(20_MiB), usable(30_MiB))
                             .domain("left-alone", unused(50_MiB), usable(700_MiB), excluded());
  const auto hints = guard::hints(world, 1_GiB, limits);
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].note.text ==
        "a: counts as short by --headroom unused, with 110 MiB unused, though 900 MiB are usable "
        "(page cache); --headroom larger, the default, counts that; 1 other domain likewise");
  CHECK(guard::hints(world, 1_GiB, {}).empty());
}

TEST_CASE("there is no hint where page cache would not help") {
  Limits limits;
  limits.headroom = Headroom::unused;
  CHECK(guard::hints(World().domain("a", unused(110_MiB), usable(120_MiB)), 1_GiB, limits).empty());
  CHECK(guard::hints(World().domain("a", unused(400_MiB), usable(900_MiB)), 1_GiB, limits).empty());
}

TEST_CASE("a host that page cache leaves nothing to give gets the hint too") {
  Limits limits;
  limits.headroom = Headroom::unused;
  const Snapshot world = World().host(8_GiB, free(200_MiB), available(6_GiB)).domain("a");
  const auto hints = guard::hints(world, MemorySize(), limits);
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].note.text ==
        "host: has nothing to give by --headroom unused, with 200 MiB free, though 6 GiB are "
        "available (page cache); --headroom larger, the default, counts that");
  CHECK(guard::hints(world, 1_MiB, limits).empty());
  CHECK(guard::hints(world, MemorySize(), {}).empty());
}
