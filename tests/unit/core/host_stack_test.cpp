// The host's memory as a stack of parts, and whether one more guest fits.

#include "engine/core/host_stack.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

struct Stacked {
  MemorySize total;
  HostStack stack;
  HostAccount account;
  MemorySize grantable;
};

Tick tick_of(const World& world, Limits limits = {}) {
  CoordinatorOptions options;
  options.limits = limits;
  CoordinatorHarness harness({world}, asks({}), options);
  return harness.coordinator.tick();
}

Stacked stacked(const World& world, Limits limits = {}) {
  const Tick tick = tick_of(world, limits);
  return {tick.snapshot.host.total, stack_of(tick), tick.account, tick.grantable};
}

MemorySize sum_of(const HostStack& stack) {
  return stack.used + stack.backed + stack.unbacked + stack.grantable + stack.floor +
         stack.reserved;
}

DomainProperty on_hugepages() {
  MemoryBacking backing;
  backing.hugepages = true;
  return backed_by(backing);
}

DomainProperty hidden_from_rss() {
  MemoryBacking backing;
  backing.kind = MemoryBacking::Kind::hidden;
  return backed_by(backing);
}

Limits with_overcommit(double ratio) {
  Limits limits;
  limits.overcommit = ratio;
  return limits;
}

Limits with_budget(MemorySize budget) {
  Limits limits;
  limits.host_memory = budget;
  return limits;
}

Limits with_headroom(Headroom kind) {
  Limits limits;
  limits.headroom = kind;
  return limits;
}

Fit fit_on(const World& world, MemorySize guest) {
  const std::vector<MemorySize> guests{guest};
  return fit_of(guests, headroom_at(tick_of(world), 1s));
}

}  // namespace

TEST_CASE("the parts of the host's memory add up to it in every world") {
  const World half_touched =
      World().host(8_GiB, free(4_GiB)).domain("a", actual(4_GiB), rss(2_GiB));
  const World promised = World().host(8_GiB, free(1_GiB)).domain("a", actual(8_GiB), rss(5_GiB));
  const World merging = World()
                            .host(8_GiB, free(4_GiB), merged(1_GiB))
                            .domain("a", actual(2_GiB), rss(2_GiB))
                            .domain("b", actual(2_GiB), rss(2_GiB));
  const World cached =
      World().host(8_GiB, free(1_GiB), available(3_GiB)).domain("a", actual(2_GiB), rss(2_GiB));
  const std::vector<std::pair<std::string, Stacked>> worlds{
      {"an empty host", stacked(World().host(8_GiB, free(7_GiB)))},
      {"untouched memory", stacked(half_touched)},
      {"a shortfall", stacked(promised)},
      {"under the floor", stacked(World().host(8_GiB, free(50_MiB)).domain("a"))},
      {"merged pages", stacked(merging)},
      {"more merged than backed",
       stacked(World().host(8_GiB, free(4_GiB), merged(6_GiB)).domain("a", rss(1_GiB)))},
      {"hugepages", stacked(World()
                                .host(16_GiB, free(4_GiB))
                                .domain("a", actual(8_GiB), rss(120_MiB), on_hugepages()))},
      {"memory that rss does not show",
       stacked(World()
                   .host(16_GiB, free(4_GiB))
                   .domain("a", actual(8_GiB), maximum(8_GiB), rss(1_GiB), hidden_from_rss()))},
      {"overcommit", stacked(promised, with_overcommit(1.5))},
      {"a ratio under 1", stacked(half_touched, with_overcommit(0.5))},
      {"a budget", stacked(half_touched, with_budget(5_GiB))},
      {"a budget that is used up", stacked(half_touched, with_budget(2_GiB))},
      {"page cache", stacked(cached)},
      {"page cache that does not count", stacked(cached, with_headroom(Headroom::unused))},
      {"rss beyond the host",
       stacked(World().host(4_GiB, free(1_GiB)).domain("a", actual(6_GiB), rss(6_GiB)))},
      {"more free than there is", stacked(World().host(4_GiB, free(5_GiB)).domain("a"))}};
  for (const auto& [name, host] : worlds) {
    const std::string& world = name;
    CAPTURE(world);
    CHECK(sum_of(host.stack) == host.total);
  }
}

TEST_CASE("memory that guests have not touched yet is unbacked, and the host's own is the rest") {
  const Stacked host =
      stacked(World().host(8_GiB, free(4_GiB)).domain("a", actual(3_GiB), rss(2_GiB)));
  CHECK(host.stack.backed == 2_GiB);
  CHECK(host.stack.used == 2_GiB);
  CHECK(host.stack.floor == 200_MiB);
  CHECK(host.stack.unbacked == host.account.unbacked);
  CHECK(host.stack.unbacked > 1_GiB);
  CHECK(host.stack.grantable == host.grantable);
  CHECK(host.stack.reserved == 0_MiB);
  CHECK(host.stack.uncovered == 0_MiB);
}

TEST_CASE("with a shortfall the stack has what is there, and the rest is uncovered") {
  const Stacked host =
      stacked(World().host(8_GiB, free(1_GiB)).domain("a", actual(8_GiB), rss(5_GiB)));
  CHECK(host.stack.grantable == 0_MiB);
  CHECK(host.stack.unbacked == 824_MiB);
  CHECK(host.stack.uncovered == host.account.unbacked - 824_MiB);
  CHECK(host.stack.uncovered <= host.account.shortfall);
  const Stacked tight = stacked(World().host(8_GiB, free(50_MiB)).domain("a"));
  CHECK(tight.stack.floor == 50_MiB);
  CHECK(tight.stack.unbacked == 0_MiB);
}

TEST_CASE("merged pages are in use once, and as much is reserved for writes that part them") {
  const Stacked host = stacked(World()
                                   .host(8_GiB, free(4_GiB), merged(1_GiB))
                                   .domain("a", actual(2_GiB), rss(2_GiB))
                                   .domain("b", actual(2_GiB), rss(2_GiB)));
  CHECK(host.stack.backed == 3_GiB);
  CHECK(host.stack.used == 1_GiB);
  CHECK(host.stack.reserved >= 1_GiB);
}

TEST_CASE("the pool of hugepages counts as used by the host") {
  const Stacked host = stacked(
      World().host(16_GiB, free(4_GiB)).domain("a", actual(8_GiB), rss(120_MiB), on_hugepages()));
  CHECK(host.stack.backed == 120_MiB);
  CHECK(host.stack.used == 12_GiB - 120_MiB);
}

TEST_CASE("a budget and a ratio under 1 reserve what they keep back") {
  const World world = World().host(8_GiB, free(4_GiB)).domain("a", actual(2_GiB), rss(2_GiB));
  const Stacked budget = stacked(world, with_budget(3_GiB));
  CHECK(budget.grantable < stacked(world).grantable);
  CHECK(budget.stack.reserved == stacked(world).grantable - budget.grantable);
  const Stacked half = stacked(world, with_overcommit(0.75));
  CHECK(half.stack.reserved == stacked(world).grantable - half.grantable);
}

TEST_CASE("memory that overcommit grants twice counts as grantable, the rest as uncovered") {
  const Stacked host = stacked(
      World().host(8_GiB, free(4_GiB)).domain("a", actual(6_GiB), rss(2_GiB)), with_overcommit(2));
  CHECK(host.grantable == 4_GiB - 200_MiB);
  CHECK(host.stack.grantable == host.grantable);
  CHECK(host.stack.unbacked == 0_MiB);
  CHECK(host.stack.uncovered == host.account.unbacked);
}

TEST_CASE("reclaimable memory is what the guard lets shrinks take, in one tick and in many") {
  const Stacked host = stacked(World()
                                   .host(8_GiB, free(1_GiB))
                                   .domain("a", actual(2_GiB), unused(900_MiB))
                                   .domain("b", actual(2_GiB), unused(120_MiB))
                                   .domain("c", actual(2_GiB), unused(60_MiB))
                                   .domain("d", actual(2_GiB), unused(1_GiB), minimum(1900_MiB))
                                   .domain("e", actual(2_GiB), unused(1_GiB), excluded())
                                   .domain("f", actual(2_GiB), unused(1_GiB), started_ago(5s)));
  CHECK(host.account.reclaimable == 450_MiB + 20_MiB + 148_MiB);
  CHECK(host.account.reclaimable_in_all == 800_MiB + 20_MiB + 148_MiB);
}

TEST_CASE("a new guest counts with its maximum and what its QEMU takes") {
  const World world = World().host(8_GiB, free(2_GiB)).domain("a", actual(2_GiB), unused(1_GiB));
  const MemorySize grantable = stacked(world).grantable;
  const Fit fits = fit_on(world, 1_GiB);
  CHECK(fits.kind == Fit::Kind::now);
  CHECK(fits.needed == 1_GiB + 62_MiB + 2_MiB);
  CHECK(fits.grantable == grantable);
  CHECK(fit_on(world, grantable).kind == Fit::Kind::after_reclaiming);
  CHECK(fit_on(world, grantable + 924_MiB).kind == Fit::Kind::no);
  CHECK(fit_on(world, 2500_MiB).kind == Fit::Kind::after_reclaiming);
  CHECK(fit_on(world, MemorySize::largest()).kind == Fit::Kind::no);
  CHECK(to_text(Fit::Kind::after_reclaiming) == "after reclaiming");
}

TEST_CASE("what is reclaimed covers a shortfall first") {
  const World world = World()
                          .host(8_GiB, free(1_GiB))
                          .domain("a", actual(4_GiB), rss(3_GiB), unused(1_GiB), usable(1_GiB));
  const Stacked host = stacked(world);
  REQUIRE(host.account.shortfall > 0_MiB);
  const MemorySize rest = host.account.reclaimable_in_all - host.account.shortfall;
  CHECK(fit_on(world, rest - 80_MiB).kind == Fit::Kind::after_reclaiming);
  CHECK(fit_on(world, rest).kind == Fit::Kind::no);
}

TEST_CASE("the headroom grows by what each second's shrinks may take, up to all of it") {
  const Tick tick = tick_of(
      World().host(8_GiB, free(3_GiB)).domain("a", actual(2_GiB), unused(1124_MiB), rss(2_GiB)));
  REQUIRE(tick.account.reclaimable == 562_MiB);
  REQUIRE(tick.account.reclaimable_in_all == 1_GiB);
  const HostHeadroom headroom = headroom_at(tick, 1s);
  CHECK(headroom.grantable == tick.grantable);
  CHECK(headroom.reclaimable == 1_GiB);
  CHECK(headroom.within[0] == tick.grantable + 562_MiB);
  CHECK(headroom.within[1] > tick.grantable + 1023_MiB);
  CHECK(headroom.within[1] <= headroom.within[2]);
  CHECK(headroom.within[2] <= headroom.in_all());
  // Within a second there is no tick every 10 s that could take anything.
  const HostHeadroom slow = headroom_at(tick, 10s);
  CHECK(slow.within[0] == tick.grantable);
  CHECK(slow.within[1] == tick.grantable + 562_MiB);
}

TEST_CASE("shrinks cover a shortfall before they add to the headroom") {
  const Tick tick =
      tick_of(World()
                  .host(8_GiB, free(1_GiB))
                  .domain("a", actual(4_GiB), rss(3_GiB), unused(1_GiB), usable(1_GiB)));
  const HostAccount& account = tick.account;
  REQUIRE(account.shortfall > 0_MiB);
  const HostHeadroom headroom = headroom_at(tick, 1s);
  CHECK(headroom.grantable == 0_MiB);
  CHECK(headroom.within[0] == account.reclaimable - account.shortfall);
  CHECK(headroom.in_all() == account.reclaimable_in_all - account.shortfall);
}

TEST_CASE("several guests fit only if they fit together, and the answer says when") {
  const Tick tick = tick_of(
      World().host(8_GiB, free(3_GiB)).domain("a", actual(2_GiB), unused(1124_MiB), rss(2_GiB)));
  const HostHeadroom headroom = headroom_at(tick, 1s);
  const auto fit = [&](std::vector<MemorySize> guests) { return fit_of(guests, headroom); };
  CHECK(fit({1_GiB}).kind == Fit::Kind::now);
  CHECK(fit({1_GiB, 512_MiB}).needed == 1536_MiB + 2 * 62_MiB + 3_MiB);
  CHECK(fit({1_GiB, 512_MiB}).kind == Fit::Kind::now);
  const Fit soon = fit({headroom.grantable, 256_MiB});
  CHECK(soon.kind == Fit::Kind::after_reclaiming);
  CHECK(soon.within == 1s);
  CHECK(fit({headroom.grantable, 800_MiB}).within == 10s);
  CHECK(fit({1_GiB, 1_GiB, 1_GiB, 1_GiB}).kind == Fit::Kind::no);
}

TEST_CASE("what is reserved for a guest is not promised to the next") {
  const World world =
      World().host(8_GiB, free(3_GiB)).domain("a", actual(2_GiB), unused(1_GiB), rss(2_GiB));
  const MemorySize before = tick_of(world).grantable;
  CoordinatorHarness harness({world}, asks({}), {});
  harness.coordinator.reserve({.name = "web", .size = 1_GiB, .until = MonotonicTime(24h)});
  const HostHeadroom headroom = headroom_at(harness.coordinator.tick(), 1s);
  CHECK(headroom.reserved == 1_GiB);
  CHECK(headroom.grantable == before - 1_GiB);
}
