// What the host is committed to, and what it may still promise.

#include <doctest/doctest.h>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

guard::HostBalance balance_of(const Seen& seen) {
  return guard::balance(seen.snapshot(), seen.history(), seen.limits());
}

/// What one domain takes of a host that has 10 GiB free.
MemorySize taken_by(const DomainSays& a, const DomainSays& b, const DomainSays& c,
                    const DomainSays& d = {}) {
  World world;
  world.host(32_GiB, free(10_GiB));
  d ? world.domain("a", a, b, c, d) : world.domain("a", a, b, c);
  const guard::HostBalance host = balance_of(Seen(world));
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

}  // namespace

// --- QEMU's own memory ---

TEST_CASE(
    "what rss has over the balloon's size is QEMU's own, and is never what a guest may touch") {
  Seen seen(World().host(16_GiB, free(4_GiB)).domain("a", actual(1_GiB), rss(1224_MiB)));
  CHECK(balance_of(seen).grantable == 4_GiB - 200_MiB);
  // The guest has touched none of the gibibyte that it got.
  seen.then(World().host(16_GiB, free(4_GiB)).at(2s).domain("a", actual(2_GiB), rss(1224_MiB)));
  CHECK(balance_of(seen).grantable == 4_GiB - 200_MiB - 1_GiB);
}

TEST_CASE("QEMU's own memory is kept as the most that was seen of it") {
  Seen seen(World().host(16_GiB, free(4_GiB)).domain("a", actual(1_GiB), rss(1324_MiB)));
  seen.then(World().host(16_GiB, free(4_GiB)).at(2s).domain("a", actual(1_GiB), rss(1124_MiB)));
  CHECK(balance_of(seen).grantable == 4_GiB - 200_MiB - 200_MiB);
}

TEST_CASE("rss while the balloon moves teaches nothing") {
  Seen seen(World().host(16_GiB, free(4_GiB)).domain("a", actual(2_GiB), rss(2_GiB)));
  seen.then(World().host(16_GiB, free(4_GiB)).at(2s).domain("a", actual(1_GiB), rss(1800_MiB)));
  seen.then(World().host(16_GiB, free(4_GiB)).at(4s).domain("a", actual(1_GiB), rss(1_GiB)));
  CHECK(balance_of(seen).grantable == 4_GiB - 200_MiB);
}

TEST_CASE("until it is known, QEMU's own memory is estimated by what the guest itself uses") {
  // The guest uses 300 MiB, and its kernel 24; of 500 MiB the other 176 are QEMU's at most.
  const MemorySize taken =
      taken_by(actual(1_GiB), rss(500_MiB), guest_total(1000_MiB), unused(700_MiB));
  CHECK(taken == 1_GiB + 176_MiB - 500_MiB);
}

TEST_CASE("rss that reaches the balloon's size does not yet show all of QEMU's own memory") {
  const auto world = [](MemorySize balloon, MemorySize held) {
    return World()
        .host(16_GiB, free(4_GiB))
        .domain("a", actual(balloon), rss(held), guest_total(560_MiB), unused(300_MiB));
  };
  Seen seen(world(600_MiB, 510_MiB));
  CHECK(balance_of(seen).grantable == 4_GiB - 200_MiB - (600_MiB + 210_MiB - 510_MiB));
  // The guest has not touched more; its balloon is smaller.
  seen.then(world(500_MiB, 510_MiB).at(2s));
  seen.then(world(500_MiB, 510_MiB).at(4s));
  CHECK(balance_of(seen).grantable == 4_GiB - 200_MiB - (500_MiB + 210_MiB - 510_MiB));
}

TEST_CASE("a guest that was under way before may have freed what it had touched") {
  const MemorySize taken =
      taken_by(actual(4_GiB), rss(4_GiB + 80_MiB), guest_total(4_GiB), unused(3_GiB));
  CHECK(taken == 0_MiB);
}

TEST_CASE("a guest that has freed much does not make its QEMU look larger than 512 MiB") {
  const MemorySize taken =
      taken_by(actual(4_GiB), rss(3_GiB), guest_total(4_GiB), unused(3900_MiB));
  CHECK(taken == 1_GiB + 512_MiB);
}

TEST_CASE("of a guest that does not report, QEMU's own memory is estimated by its size") {
  CHECK(taken_by(actual(1_GiB), rss(100_MiB), silent()) == 1_GiB + 64_MiB - 100_MiB);
}

TEST_CASE("a guest that the host has swapped out teaches nothing of its QEMU") {
  const MemorySize taken =
      taken_by(actual(1_GiB), rss(100_MiB), guest_total(1000_MiB), unused(100_MiB));
  CHECK(taken == 1_GiB + 64_MiB - 100_MiB);
}

TEST_CASE("the last rss of a domain that does not answer is no more than its balloon leaves") {
  Seen seen(World().host(16_GiB, free(4_GiB)).domain("a", actual(2_GiB), rss(2_GiB + 100_MiB)));
  Snapshot later = World().host(16_GiB, free(4_GiB)).at(2s).domain("a", actual(1_GiB));
  later.domains[0].rss.reset();
  seen.then(later);
  Limits limits;
  limits.host_memory = 2_GiB;
  // 1 GiB and QEMU's 100 MiB are held, no more.
  CHECK(guard::balance(seen.snapshot(), seen.history(), limits).grantable ==
        1_GiB - 100_MiB - 200_MiB);
}

// --- where the memory comes from ---

TEST_CASE("a guest on hugepages takes nothing of the ordinary pool but QEMU's own memory") {
  CHECK(taken_by(actual(16_GiB), maximum(16_GiB), rss(120_MiB), backed_by(hugepages())) == 0_MiB);
  CHECK(taken_by(actual(16_GiB), maximum(16_GiB), rss(8_GiB + 120_MiB),
                 backed_by(hugepages(8_GiB))) == 0_MiB);
  CHECK(taken_by(actual(16_GiB), maximum(16_GiB), rss(8_GiB - 120_MiB),
                 backed_by(hugepages(8_GiB))) > 120_MiB);
}

TEST_CASE("memory that is locked may all be taken, whatever the balloon's size") {
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

TEST_CASE("private memory that rss does not show is not expected a second time") {
  CHECK(taken_by(actual(4_GiB), maximum(4_GiB), rss(120_MiB),
                 backed_by(backing(MemoryBacking::Kind::hidden))) == 0_MiB);
}

// --- all together ---

TEST_CASE("what merging of pages saves is not given away") {
  const World world = World().host(8_GiB, free(4_GiB), merged(1_GiB)).domain("a");
  CHECK(balance_of(Seen(world)).grantable == 3_GiB - 200_MiB);
}

TEST_CASE("all committed memory, the floor and the host's own use never pass what the host has") {
  // Both are wholly backed, and 3 GiB are free of 8: pages are shared, whoever shares them.
  const World world =
      World().host(8_GiB, free(3_GiB)).domain("a", actual(4_GiB)).domain("b", actual(4_GiB));
  const guard::HostBalance host = balance_of(Seen(world));
  CHECK(host.grantable == 0_MiB);
  CHECK(host.owed == 200_MiB);
}

TEST_CASE("an overcommit ratio lets more be promised, but never takes the host under its floor") {
  Limits limits;
  limits.overcommit = 1.5;
  const auto given = [&](MemorySize free_now, MemorySize touched) {
    const World world =
        World().host(8_GiB, free(free_now)).domain("a", actual(4_GiB), rss(touched), silent());
    return balance_of(Seen(world, limits)).grantable;
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
  const Seen seen(World().domain("a", actual(2_GiB), rss(2_GiB + 100_MiB), hard_limit(3_GiB)));
  const Decision d = seen.decide("a", 8_GiB);
  CHECK(d.target == 3_GiB - 100_MiB);
  CHECK(rules_of(d) == std::vector{Rule::maximum});
  CHECK(seen.decide("a", 2500_MiB).rules.empty());
}

// --- a host that runs out ---

TEST_CASE("a host under its floor needs at once what is missing") {
  const Seen seen(World().host(8_GiB, free(150_MiB)).domain("a"));
  CHECK(balance_of(seen).rescue == 50_MiB);
}

TEST_CASE("page cache that the host can drop is no emergency") {
  const Seen seen(World().host(8_GiB, free(150_MiB), available(2_GiB)).domain("a"));
  CHECK(balance_of(seen).rescue == 0_MiB);
}

TEST_CASE("a host needs at once what its own use will lack until guests can give again") {
  Seen seen(World().host(8_GiB, free(3_GiB)).domain("a"));
  // Once may be a guest on hugepages that has started: nothing that goes on.
  seen.then(World().host(8_GiB, free(2_GiB)).at(2s).domain("a"));
  CHECK(balance_of(seen).rescue == 0_MiB);
  seen.then(World().host(8_GiB, free(1_GiB)).at(4s).domain("a"));
  CHECK(balance_of(seen).rescue == 200_MiB + 2 * 1_GiB - 1_GiB);
  seen.then(World().host(8_GiB, free(1_GiB)).at(6s).domain("a"));
  CHECK(balance_of(seen).rescue == 0_MiB);
}

TEST_CASE("where ticks come faster than guests report, a host looks ahead as far as guests need") {
  Seen seen(World().host(8_GiB, free(3_GiB)).domain("a"));
  seen.then(World().host(8_GiB, free(3_GiB - 200_MiB)).at(500ms).domain("a"));
  seen.then(World().host(8_GiB, free(700_MiB)).at(1s).domain("a"));
  CHECK(balance_of(seen).rescue == 200_MiB + 4 * 200_MiB - 700_MiB);
}

TEST_CASE("a guest that reboots has all of its memory until its driver reports again") {
  const auto world = [](Duration at, bool rebooted, bool reports) {
    Snapshot made = World()
                        .at(at)
                        .host(16_GiB, free(3_GiB))
                        .domain("a", maximum(8_GiB), actual(2_GiB), rss(2_GiB),
                                reports ? DomainSays(unused(1_GiB)) : silent());
    if (rebooted)
      made.domains[0].started_at = MonotonicTime(World().at(1s).operator Snapshot().taken_at);
    return made;
  };
  Seen seen(world(0s, false, true));
  CHECK(balance_of(seen).grantable == 3_GiB - 200_MiB);
  // The hypervisor goes on telling the balloon's size from before; so does the last report.
  seen.then(world(1s, true, true));
  CHECK(balance_of(seen).grantable == 0_MiB);
  CHECK(balance_of(seen).rescue == 6_GiB + 200_MiB - 3_GiB);
  seen.then(world(2s, true, false));
  CHECK(balance_of(seen).rescue == 6_GiB + 200_MiB - 3_GiB);
  seen.then(world(3s, true, true));
  CHECK(balance_of(seen).grantable == 3_GiB - 200_MiB);
  CHECK(balance_of(seen).rescue == 0_MiB);
}

TEST_CASE("a guest that touches what it was given is no emergency as long as all of it is there") {
  const auto world = [](MemorySize touched, MemorySize left) {
    return World().host(8_GiB, free(left)).domain("a", actual(4_GiB), rss(touched), silent());
  };
  Seen seen(world(1_GiB, 5_GiB));
  seen.then(world(3_GiB, 3_GiB).at(2s));
  CHECK(balance_of(seen).rescue == 0_MiB);
}

TEST_CASE("memory committed over capacity is no emergency before somebody touches it") {
  const auto world = [](MemorySize touched, MemorySize left) {
    return World()
        .host(8_GiB, free(left))
        .domain("a", actual(4_GiB))
        .domain("new", actual(3_GiB), rss(touched), silent());
  };
  Seen seen(world(100_MiB, 1500_MiB));
  seen.then(world(100_MiB, 1500_MiB).at(2s));
  CHECK(balance_of(seen).owed > 1_GiB);
  CHECK(balance_of(seen).rescue == 0_MiB);
  seen.then(world(900_MiB, 700_MiB).at(4s));
  CHECK(balance_of(seen).rescue == 200_MiB + 2 * 800_MiB - 700_MiB);
}

TEST_CASE("a guest that has just started may touch all of its memory at once") {
  const auto world = [](Duration at, bool with_new) {
    World one = World().at(at).host(8_GiB, free(2_GiB)).domain("a", actual(4_GiB));
    if (with_new) one.domain("new", actual(3_GiB), rss(100_MiB), silent());
    return one;
  };
  const MemorySize untouched = 3_GiB + 68_MiB - 100_MiB;
  Seen seen(world(0s, false));
  seen.then(world(1s, true));
  CHECK(balance_of(seen).rescue == 200_MiB + untouched - 2_GiB);
  seen.then(world(30s, true));
  CHECK(balance_of(seen).rescue == 200_MiB + untouched - 2_GiB);
  // It has settled: what it has not touched by then is paid back calmly.
  seen.then(world(31s, true));
  CHECK(balance_of(seen).rescue == 0_MiB);
  CHECK(balance_of(seen).owed > 1_GiB);
}

TEST_CASE("under its floor a host does not wait to see whether what it loses goes on") {
  Seen seen(World().host(8_GiB, free(1_GiB)).domain("a"));
  seen.then(World().host(8_GiB, free(100_MiB)).at(1s).domain("a"));
  CHECK(balance_of(seen).rescue == 100_MiB + 2 * (1_GiB - 100_MiB));
}

TEST_CASE("a host that has nothing left shows by its swap how fast its memory goes") {
  const auto world = [](Duration at, MemorySize swap) {
    return World().at(at).host(8_GiB, free(0_KiB), swap_free(swap)).domain("a");
  };
  Seen seen(world(0s, 4_GiB));
  seen.then(world(1s, 3_GiB));
  CHECK(balance_of(seen).rescue == 200_MiB + 2 * 1_GiB);
  seen.then(world(2s, 3_GiB));
  CHECK(balance_of(seen).rescue == 200_MiB);
}

TEST_CASE("what shrinks under way give back is not asked for twice") {
  Seen seen(World().host(8_GiB, free(100_MiB)).domain("a", actual(1_GiB)));
  seen.moved("a", 1_GiB - 60_MiB);
  CHECK(balance_of(seen).rescue == 40_MiB);
}
