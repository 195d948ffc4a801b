// What the host is committed to, what it can give to grows, and how that is shared.

#include <doctest/doctest.h>

#include <limits>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

guard::HostBalance balance_of(const Observed& observed) {
  return guard::balance(observed.snapshot(), observed.history(), observed.limits());
}

/// What one domain takes of a host that has 10 GiB free.
MemorySize taken_by(const DomainProperty& a, const DomainProperty& b, const DomainProperty& c,
                    const DomainProperty& d = {}) {
  World world;
  world.host(32_GiB, free(10_GiB));
  d ? world.domain("a", a, b, c, d) : world.domain("a", a, b, c);
  const guard::HostBalance host = balance_of(Observed(world));
  return 10_GiB - 200_MiB - host.grantable;
}

MemoryBacking backing(MemoryBacking::Kind kind) {
  MemoryBacking made;
  made.kind = kind;
  return made;
}

MemoryBacking hugepages(MemorySize beside = {}) {
  MemoryBacking made;
  made.hugepages = true;
  made.beside_hugepages = beside;
  return made;
}

MemorySize grantable(const World& world, Limits limits = {}) {
  return balance_of(Observed(world, limits)).grantable;
}

}  // namespace

// --- what the host may give ---

TEST_CASE("the host may give its free memory above its floor") {
  CHECK(grantable(World().host(8_GiB, free(1_GiB)).domain("a")) == 824_MiB);
  CHECK(grantable(World().host(8_GiB, free(200_MiB)).domain("a")) == 0_MiB);
  CHECK(grantable(World().host(8_GiB, free(10_MiB)).domain("a")) == 0_MiB);
}

TEST_CASE("memory that is committed but unbacked counts as taken, QEMU's own included") {
  CHECK(grantable(World().host(8_GiB, free(1_GiB)).domain("a", actual(1_GiB), rss(724_MiB))) ==
        524_MiB - 64_MiB);
  const guard::HostBalance host = balance_of(
      Observed(World().host(8_GiB, free(1_GiB)).domain("a", actual(1_GiB), rss(724_MiB))));
  CHECK(host.committed == 1_GiB + 64_MiB);
  CHECK(host.unbacked == 300_MiB + 64_MiB);
  // A grow in flight is committed from the moment memcoord asks for it.
  Observed observed(World().host(8_GiB, free(1_GiB)).domain("a", actual(512_MiB)));
  observed.moved("a", 812_MiB);
  CHECK(guard::balance(observed.snapshot(), observed.history(), {}).grantable == 524_MiB);
}

TEST_CASE("of moves with an unknown outcome a grow is committed, and a shrink releases nothing") {
  Observed grow(World().host(8_GiB, free(1_GiB)).domain("a", actual(512_MiB)));
  grow.moved("a", 812_MiB, Outcome::Kind::unknown);
  CHECK(guard::balance(grow.snapshot(), grow.history(), {}).grantable == 524_MiB);
  Observed shrink(World().host(8_GiB, free(1_GiB)).domain("a", actual(512_MiB)));
  shrink.moved("a", 812_MiB).moved("a", 412_MiB, Outcome::Kind::unknown);
  CHECK(guard::balance(shrink.snapshot(), shrink.history(), {}).grantable == 524_MiB);
}

TEST_CASE("a domain whose rss is unknown holds no more than its last known rss") {
  const auto left = [](auto... says) {
    Observed observed(World().host(8_GiB, free(4_GiB)).domain("a", actual(1_GiB)));
    observed.moved("a", 2_GiB);
    Snapshot later = World().at(2s).host(8_GiB, free(4_GiB)).domain("a", says...);
    later.domains[0].rss.reset();
    observed.then(later);
    return guard::balance(observed.snapshot(), observed.history(), {}).grantable;
  };
  CHECK(left(actual(1_GiB)) == 4_GiB - 200_MiB - 1_GiB);
  // An administrator has shrunk it, or it is another process.
  CHECK(left(actual(512_MiB)) == 4_GiB - 200_MiB - 1536_MiB);
  CHECK(left(actual(1_GiB), maximum(2_GiB), started_ago(1s)) == 4_GiB - 200_MiB - 2_GiB);
}

TEST_CASE("paused and unsuitable domains stay committed") {
  CHECK(grantable(World()
                      .host(8_GiB, free(1_GiB))
                      .domain("a", rss(924_MiB), state(DomainState::paused))
                      .domain("b", rss(924_MiB), unsuitable("VFIO"))) == 624_MiB - 2 * 64_MiB);
}

TEST_CASE("a budget counts what the domains hold, not what the host has free") {
  Limits limits;
  limits.host_memory = 3_GiB;
  const World world = World().host(64_GiB, free(60_GiB)).domain("a").domain("b");
  CHECK(grantable(world, limits) == 824_MiB);
  limits.host_memory = 2_GiB;
  CHECK(grantable(world, limits) == 0_MiB);
  // Where the host has less free than the budget leaves, the host limits.
  limits.host_memory = 3_GiB;
  CHECK(grantable(World().host(64_GiB, free(500_MiB)).domain("a").domain("b"), limits) == 300_MiB);
}

TEST_CASE("an overdrawn budget is covered before shrinks serve grows") {
  Limits limits;
  limits.host_memory = 2_GiB;
  // The domains hold 3 GiB: 1 GiB too much, and the floor of 200 MiB is missing as well.
  const Observed observed(World()
                              .host(64_GiB, free(32_GiB))
                              .domain("poor", actual(1_GiB), unused(20_MiB))
                              .domain("rich", actual(2_GiB), unused(1800_MiB)),
                          limits);
  CHECK(guard::balance(observed.snapshot(), observed.history(), limits).shortfall ==
        1_GiB + 200_MiB);
  const auto decisions = observed.decide({{"poor", 2_GiB}, {"rich", 1_GiB + 124_MiB}});
  CHECK(decisions[1].target == 1_GiB + 124_MiB);
  CHECK(decisions[0].holds());
}

TEST_CASE(
    "the host gives from the larger of free and available, and with unused from what is free") {
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

TEST_CASE("the shortfall is what must be released before the host can give anything") {
  const Observed observed(
      World().host(8_GiB, free(500_MiB)).domain("a", actual(1_GiB), unused(800_MiB), rss(424_MiB)));
  const guard::HostBalance host = guard::balance(observed.snapshot(), observed.history(), {});
  CHECK(host.grantable == 0_MiB);
  CHECK(host.shortfall == 300_MiB + 64_MiB);
}

// --- QEMU's own memory ---

TEST_CASE("the part of rss over the balloon's size is QEMU's own memory and never the guest's") {
  Observed observed(World().host(16_GiB, free(4_GiB)).domain("a", actual(1_GiB), rss(1224_MiB)));
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB);
  // The guest has touched none of the gibibyte that it got.
  observed.then(World().host(16_GiB, free(4_GiB)).at(2s).domain("a", actual(2_GiB), rss(1224_MiB)));
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB - 1_GiB);
}

TEST_CASE("the largest observed size of QEMU's own memory is kept") {
  Observed observed(World().host(16_GiB, free(4_GiB)).domain("a", actual(1_GiB), rss(1324_MiB)));
  observed.then(World().host(16_GiB, free(4_GiB)).at(2s).domain("a", actual(1_GiB), rss(1124_MiB)));
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB - 200_MiB);
}

TEST_CASE("nothing is learnt from rss while the balloon moves") {
  Observed observed(World().host(16_GiB, free(3_GiB)).domain("a", actual(2_GiB), rss(2_GiB)));
  observed.then(
      World().host(16_GiB, free(3320_MiB)).at(2s).domain("a", actual(1_GiB), rss(1800_MiB)));
  observed.then(World().host(16_GiB, free(4_GiB)).at(4s).domain("a", actual(1_GiB), rss(1_GiB)));
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB);
}

TEST_CASE("until it is known, QEMU's own memory is estimated by what the guest itself uses") {
  // The guest uses 300 MiB, and its kernel 24; of 500 MiB the other 176 are QEMU's at most.
  const MemorySize taken =
      taken_by(actual(1_GiB), rss(500_MiB), guest_total(1000_MiB), unused(700_MiB));
  CHECK(taken == 1_GiB + 176_MiB - 500_MiB);
}

TEST_CASE("rss that reaches the balloon's size does not yet show all of QEMU's own memory") {
  const auto world = [](MemorySize balloon, MemorySize skipped) {
    return World()
        .host(16_GiB, free(4_GiB))
        .domain("a", actual(balloon), rss(skipped), guest_total(560_MiB), unused(300_MiB));
  };
  Observed observed(world(600_MiB, 510_MiB));
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB - (600_MiB + 210_MiB - 510_MiB));
  // The guest has not touched more; its balloon is smaller.
  observed.then(world(500_MiB, 510_MiB).at(2s));
  observed.then(world(500_MiB, 510_MiB).at(4s));
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB - (500_MiB + 210_MiB - 510_MiB));
}

namespace {

/// A guest whose process holds 500 MiB, whatever its balloon has given or taken.
World holds_500(MemorySize balloon, MemorySize unused_in_it) {
  return World()
      .host(16_GiB, free(4_GiB))
      .domain("a", actual(balloon), rss(500_MiB), guest_total(balloon - 24_MiB),
              unused(unused_in_it));
}

}  // namespace

TEST_CASE("a kernel's lists hold some of what a balloon gives: used, untouched, and not QEMU's") {
  // Of 500 MiB the guest has touched 324, so 176 are QEMU's at most.
  Observed observed(holds_500(1024_MiB, 700_MiB));
  observed.then(holds_500(1124_MiB, 750_MiB).at(2s));
  observed.then(holds_500(1124_MiB, 749_MiB).at(4s));  // 51 MiB more count as used
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB - (1124_MiB + 176_MiB - 500_MiB));
  // 64 MiB in the lists are the most: of 474 MiB that count as used, 410 are touched at least.
  observed.then(holds_500(1124_MiB, 650_MiB).at(6s));
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB - (1124_MiB + 90_MiB - 500_MiB));
}

TEST_CASE("a balloon that takes memory takes it from the guest's lists first") {
  Observed observed(holds_500(1024_MiB, 700_MiB));
  observed.then(holds_500(1124_MiB, 750_MiB).at(2s));
  observed.then(holds_500(1024_MiB, 700_MiB).at(4s));
  observed.then(holds_500(1024_MiB, 649_MiB).at(6s));  // 375 MiB are used, all touched
  CHECK(balance_of(observed).grantable == 4_GiB - 200_MiB - (1024_MiB + 125_MiB - 500_MiB));
}

TEST_CASE("a guest that ran before memcoord may have freed memory that it had touched") {
  const MemorySize taken =
      taken_by(actual(4_GiB), rss(4_GiB + 80_MiB), guest_total(4_GiB), unused(3_GiB));
  CHECK(taken == 0_MiB);
}

TEST_CASE(
    "the estimate of QEMU's own memory stays within 512 MiB, however much a guest has freed") {
  const MemorySize taken =
      taken_by(actual(4_GiB), rss(3_GiB), guest_total(4_GiB), unused(3900_MiB));
  CHECK(taken == 1_GiB + 512_MiB);
}

TEST_CASE("for a guest that does not report, QEMU's own memory is estimated by the guest's size") {
  CHECK(taken_by(actual(1_GiB), rss(100_MiB), no_report()) == 1_GiB + 64_MiB - 100_MiB);
}

TEST_CASE("nothing is learnt from a guest that the host has swapped out") {
  const MemorySize taken =
      taken_by(actual(1_GiB), rss(100_MiB), guest_total(1000_MiB), unused(100_MiB));
  CHECK(taken == 1_GiB + 64_MiB - 100_MiB);
}

TEST_CASE("the last rss of a hung domain counts up to what its balloon leaves") {
  Observed observed(
      World().host(16_GiB, free(4_GiB)).domain("a", actual(2_GiB), rss(2_GiB + 100_MiB)));
  Snapshot later = World().host(16_GiB, free(4_GiB)).at(2s).domain("a", actual(1_GiB));
  later.domains[0].rss.reset();
  observed.then(later);
  Limits limits;
  limits.host_memory = 2_GiB;
  // 1 GiB and QEMU's 100 MiB are resident, and no more.
  CHECK(guard::balance(observed.snapshot(), observed.history(), limits).grantable ==
        1_GiB - 100_MiB - 200_MiB);
}

// --- where the memory comes from ---

TEST_CASE("a guest on hugepages takes only QEMU's own memory from the ordinary pool") {
  CHECK(taken_by(actual(16_GiB), maximum(16_GiB), rss(120_MiB), backed_by(hugepages())) == 0_MiB);
  CHECK(taken_by(actual(16_GiB), maximum(16_GiB), rss(8_GiB + 120_MiB),
                 backed_by(hugepages(8_GiB))) == 0_MiB);
  CHECK(taken_by(actual(16_GiB), maximum(16_GiB), rss(8_GiB - 120_MiB),
                 backed_by(hugepages(8_GiB))) > 120_MiB);
}

TEST_CASE("locked memory is committed in full, whatever the balloon's size") {
  CHECK(taken_by(actual(1_GiB), maximum(4_GiB), rss(4_GiB),
                 backed_by(backing(MemoryBacking::Kind::pinned))) == 0_MiB);
  CHECK(taken_by(actual(1_GiB), maximum(4_GiB), rss(3_GiB),
                 backed_by(backing(MemoryBacking::Kind::pinned))) >= 1_GiB);
}

TEST_CASE("memory that virtio-mem has not plugged in is not expected to be taken") {
  MemoryBacking device = backing(MemoryBacking::Kind::pinned);
  device.unplugged = 58_GiB;
  CHECK(taken_by(actual(6_GiB), maximum(64_GiB), rss(6_GiB), backed_by(device)) == 0_MiB);
  // It has come to more than was known.
  CHECK(taken_by(actual(8_GiB), maximum(64_GiB), rss(6_GiB), backed_by(device)) >= 2_GiB);
}

TEST_CASE("private memory that rss does not show is not counted twice") {
  CHECK(taken_by(actual(4_GiB), maximum(4_GiB), rss(120_MiB),
                 backed_by(backing(MemoryBacking::Kind::hidden))) == 0_MiB);
}

// --- all together ---

TEST_CASE("memory that merging of pages saves is not granted") {
  const World world = World().host(8_GiB, free(4_GiB), merged(1_GiB)).domain("a");
  CHECK(balance_of(Observed(world)).grantable == 3_GiB - 200_MiB);
}

TEST_CASE("all committed memory, the floor and the host's own use never pass what the host has") {
  // Both are wholly backed, and 3 GiB are free of 8: pages are shared, by KSM or otherwise.
  const World world =
      World().host(8_GiB, free(3_GiB)).domain("a", actual(4_GiB)).domain("b", actual(4_GiB));
  const guard::HostBalance host = balance_of(Observed(world));
  CHECK(host.grantable == 0_MiB);
  CHECK(host.shortfall == 200_MiB);
}

TEST_CASE("an overcommit ratio lets more be committed, but never takes the host under its floor") {
  Limits limits;
  limits.overcommit = 1.5;
  const auto given = [&](MemorySize free_now, MemorySize touched) {
    const World world =
        World().host(8_GiB, free(free_now)).domain("a", actual(4_GiB), rss(touched), no_report());
    return balance_of(Observed(world, limits)).grantable;
  };
  // 4 GiB + 70 MiB are committed of which 1 GiB is backed; half of the host's 8 GiB comes on top.
  CHECK(given(3_GiB, 1_GiB) == 3_GiB - 200_MiB);
  CHECK(given(2_GiB, 1_GiB) == 2_GiB - 200_MiB);
  CHECK(given(200_MiB, 1_GiB) == 0_MiB);
  limits.overcommit = 1.0;
  CHECK(given(2_GiB, 1_GiB) == 0_MiB);
  limits.overcommit = 0.5;
  CHECK(given(6_GiB, 4_GiB) == 0_MiB);
}

// --- the most that a domain may have ---

TEST_CASE("a cgroup's limit, less QEMU's own memory, is part of a domain's maximum") {
  const Observed observed(
      World().domain("a", actual(2_GiB), rss(2_GiB + 100_MiB), hard_limit(3_GiB)));
  const Decision d = observed.decide("a", 8_GiB);
  CHECK(d.target == 3_GiB - 100_MiB);
  CHECK(rules_of(d) == std::vector{Rule::maximum});
  CHECK(observed.decide("a", 2500_MiB).rules.empty());
}

// --- a host that runs out ---

TEST_CASE("a host under its floor needs at once what is missing") {
  const Observed observed(World().host(8_GiB, free(150_MiB)).domain("a"));
  CHECK(balance_of(observed).rescue == 50_MiB);
}

TEST_CASE("page cache that the host can drop is no emergency") {
  const Observed observed(World().host(8_GiB, free(150_MiB), available(2_GiB)).domain("a"));
  CHECK(balance_of(observed).rescue == 0_MiB);
}

TEST_CASE("a host needs at once what its own use will miss until guests can give again") {
  Observed observed(World().host(8_GiB, free(3_GiB)).domain("a"));
  // A single fall may be a guest on hugepages that has started: it does not continue.
  observed.then(World().host(8_GiB, free(2_GiB)).at(2s).domain("a"));
  CHECK(balance_of(observed).rescue == 0_MiB);
  observed.then(World().host(8_GiB, free(1_GiB)).at(4s).domain("a"));
  CHECK(balance_of(observed).rescue == 200_MiB + 2 * 1_GiB - 1_GiB);
  observed.then(World().host(8_GiB, free(1_GiB)).at(6s).domain("a"));
  CHECK(balance_of(observed).rescue == 0_MiB);
}

TEST_CASE("where ticks are shorter than reports, the rescue goes by whole seconds") {
  Observed observed(World().host(8_GiB, free(3_GiB)).domain("a"));
  observed.then(World().host(8_GiB, free(3_GiB - 100_MiB)).at(500ms).domain("a"));
  // The first half second shows no pace yet that continues.
  CHECK(balance_of(observed).rescue == 0_MiB);
  observed.then(World().host(8_GiB, free(3_GiB - 300_MiB)).at(1s).domain("a"));
  observed.then(World().host(8_GiB, free(1_GiB)).at(1500ms).domain("a"));
  observed.then(World().host(8_GiB, free(700_MiB)).at(2s).domain("a"));
  // 300 MiB in the second before the last one, and 324 MiB in the half of the last one that shows
  // less.
  CHECK(balance_of(observed).rescue == 200_MiB + 2 * 648_MiB - 700_MiB);
}

TEST_CASE("what others take from the host until guests can give again is not granted") {
  Observed observed(World().host(16_GiB, free(4_GiB)).domain("a"));
  observed.then(World().host(16_GiB, free(4_GiB - 300_MiB)).at(1s).domain("a"));
  // A single take does not continue.
  CHECK(balance_of(observed).grantable == 4_GiB - 500_MiB);
  observed.then(World().host(16_GiB, free(4_GiB - 600_MiB)).at(2s).domain("a"));
  CHECK(balance_of(observed).grantable == 4_GiB - 800_MiB - 2 * 300_MiB);
}

TEST_CASE("a guest that reboots is committed to its maximum until its driver reports again") {
  const auto world = [](Duration at, bool rebooted, bool reports) {
    Snapshot made = World()
                        .at(at)
                        .host(16_GiB, free(3_GiB))
                        .domain("a", maximum(8_GiB), actual(2_GiB), rss(2_GiB),
                                reports ? DomainProperty(unused(1_GiB)) : no_report());
    if (rebooted)
      made.domains[0].started_at = MonotonicTime(World().at(1s).operator Snapshot().taken_at);
    return made;
  };
  Observed observed(world(0s, false, true));
  CHECK(balance_of(observed).grantable == 3_GiB - 200_MiB);
  // The hypervisor and the last report still have the balloon's size from before.
  observed.then(world(1s, true, true));
  CHECK(balance_of(observed).grantable == 0_MiB);
  CHECK(balance_of(observed).rescue == 6_GiB + 200_MiB - 3_GiB);
  observed.then(world(2s, true, false));
  CHECK(balance_of(observed).rescue == 6_GiB + 200_MiB - 3_GiB);
  observed.then(world(3s, true, true));
  CHECK(balance_of(observed).grantable == 3_GiB - 200_MiB);
  CHECK(balance_of(observed).rescue == 0_MiB);
}

TEST_CASE("a guest that touches memory it already has is no emergency") {
  const auto world = [](MemorySize touched, MemorySize left) {
    return World().host(8_GiB, free(left)).domain("a", actual(4_GiB), rss(touched), no_report());
  };
  Observed observed(world(1_GiB, 5_GiB));
  observed.then(world(3_GiB, 3_GiB).at(2s));
  CHECK(balance_of(observed).rescue == 0_MiB);
}

TEST_CASE("memory committed over capacity is no emergency before a guest touches it") {
  const auto world = [](MemorySize touched, MemorySize left) {
    return World()
        .host(8_GiB, free(left))
        .domain("a", actual(4_GiB))
        .domain("new", actual(3_GiB), rss(touched), no_report());
  };
  Observed observed(world(100_MiB, 1500_MiB));
  observed.then(world(100_MiB, 1500_MiB).at(2s));
  CHECK(balance_of(observed).shortfall > 1_GiB);
  CHECK(balance_of(observed).rescue == 0_MiB);
  observed.then(world(900_MiB, 700_MiB).at(4s));
  CHECK(balance_of(observed).rescue == 200_MiB + 2 * 800_MiB - 700_MiB);
}

TEST_CASE("a guest that has just started may touch all of its memory at once") {
  const auto world = [](Duration at, bool with_new) {
    World one = World().at(at).host(8_GiB, free(2_GiB)).domain("a", actual(4_GiB));
    if (with_new) one.domain("new", actual(3_GiB), rss(100_MiB), no_report());
    return one;
  };
  const MemorySize untouched = 3_GiB + 68_MiB - 100_MiB;
  Observed observed(world(0s, false));
  observed.then(world(1s, true));
  CHECK(balance_of(observed).rescue == 200_MiB + untouched - 2_GiB);
  observed.then(world(30s, true));
  CHECK(balance_of(observed).rescue == 200_MiB + untouched - 2_GiB);
  // It has settled: what it has not touched by then is paid back calmly.
  observed.then(world(31s, true));
  CHECK(balance_of(observed).rescue == 0_MiB);
  CHECK(balance_of(observed).shortfall > 1_GiB);
}

TEST_CASE("under its floor a host counts its last change of use at once") {
  Observed observed(World().host(8_GiB, free(1_GiB)).domain("a"));
  observed.then(World().host(8_GiB, free(100_MiB)).at(1s).domain("a"));
  CHECK(balance_of(observed).rescue == 100_MiB + 2 * (1_GiB - 100_MiB));
}

TEST_CASE("the swap of a host without free memory shows how fast its memory goes") {
  const auto world = [](Duration at, MemorySize swap) {
    return World().at(at).host(8_GiB, free(0_KiB), swap_free(swap)).domain("a");
  };
  Observed observed(world(0s, 4_GiB));
  observed.then(world(1s, 3_GiB));
  CHECK(balance_of(observed).rescue == 200_MiB + 2 * 1_GiB);
  observed.then(world(2s, 3_GiB));
  CHECK(balance_of(observed).rescue == 200_MiB);
}

TEST_CASE("a rescue does not ask twice for what shrinks under way give back") {
  Observed observed(World().host(8_GiB, free(100_MiB)).domain("a", actual(1_GiB)));
  observed.moved("a", 1_GiB - 60_MiB);
  CHECK(balance_of(observed).rescue == 40_MiB);
}

// --- sharing ---

TEST_CASE("share_out divides by weight, and the others share what a smaller want leaves") {
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

TEST_CASE("share_out gives all there is whatever the weights' size") {
  const auto share = [](double one, double other) {
    return guard::share_out(400_MiB,
                            std::vector<guard::Want>{{1_GiB, one}, {1_GiB, one}, {1_GiB, other}});
  };
  CHECK(share(1e308, 1e308)[0] > 133_MiB);
  CHECK(share(1, 1e308) == std::vector{0_MiB, 0_MiB, 400_MiB});
  CHECK(share(1e-320, 1) == std::vector{0_MiB, 0_MiB, 400_MiB});
}

TEST_CASE("equal wants get equal shares, whatever their order") {
  const std::vector<guard::Want> wants{{2_KiB, 1}, {2_KiB, 1}, {7_KiB, 1}};
  const auto shares = guard::share_out(3_KiB, wants);
  CHECK(shares == std::vector{1_KiB, 1_KiB, 1_KiB});
  CHECK(guard::share_out(4_KiB, std::vector<guard::Want>{{3_KiB, 1}, {3_KiB, 1}, {3_KiB, 1}}) ==
        std::vector{1_KiB, 1_KiB, 1_KiB});
}
