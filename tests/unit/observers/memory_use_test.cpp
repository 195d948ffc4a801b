#include "engine/observers/memory_use.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/text.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

GuestUse use_by(const DomainProperty& a, const DomainProperty& b, const DomainProperty& c) {
  const Snapshot snapshot = World().domain("web", a, b, c);
  return use_of(snapshot.domains[0]).value();
}

/// A host of 8 GiB with plenty to grant, "db", and "web", which has `left` of headroom.
Tick tick_with(MemorySize left) {
  Tick tick;
  tick.policy = "adaptive";
  tick.snapshot = World()
                      .host(8_GiB, free(2_GiB))
                      .domain("db", unused(500_MiB))
                      .domain("web", actual(1_GiB), unused(left));
  tick.grantable = 1_GiB;
  tick.account.reclaimable = 512_MiB;
  return tick;
}

HostVerdict verdict(const Tick& tick) {
  return verdict_on(tick, domain_ticks(tick, [](const Domain&) { return nullptr; }));
}

Decision limited_grow(Rule rule, MemorySize to) {
  return {id("web"), 1_GiB, 2_GiB, to, "needs more", {{rule, 2_GiB, to, "the host has less"}}};
}

}  // namespace

TEST_CASE("a guest's parts add up to its size") {
  const GuestUse use = use_by(actual(1_GiB), unused(100_MiB), usable(300_MiB));
  CHECK(use.free == 100_MiB);
  CHECK(use.cache == 200_MiB);
  CHECK(use.used == 724_MiB);
  const GuestUse old_report = use_by(actual(1_GiB), unused(900_MiB), usable(1500_MiB));
  CHECK(old_report.free == 900_MiB);
  CHECK(old_report.cache == 124_MiB);
  CHECK(old_report.used == 0_MiB);
  const GuestUse less_usable = use_by(actual(1_GiB), unused(300_MiB), usable(100_MiB));
  CHECK(less_usable.cache == 0_MiB);
}

TEST_CASE("a guest that does not say what is usable is asked for its page cache") {
  Snapshot snapshot = World().domain("web", actual(1_GiB), unused(100_MiB));
  snapshot.domains[0].guest.disk_caches = 50_MiB;
  CHECK(use_of(snapshot.domains[0]).value().cache == 50_MiB);
  snapshot.domains[0].guest.unused.reset();
  CHECK_FALSE(use_of(snapshot.domains[0]));
}

TEST_CASE("a host is fine while it has a share of its memory at hand") {
  const HostVerdict fine = verdict(tick_with(500_MiB));
  CHECK(to_text(fine.state) == "fine");
  CHECK(fine.text == "The host can grant 1 GiB at once; shrinks can take 512 MiB from guests.");
  Tick tick = tick_with(500_MiB);
  tick.grantable = 300_MiB;
  tick.account.reclaimable = 110_MiB;
  CHECK(verdict(tick).state == HostState::fine);
  tick.account.reclaimable = 109_MiB;
  CHECK(verdict(tick).state == HostState::tight);
  CHECK(verdict(tick).text ==
        "The host can grant 300 MiB at once; shrinks can take 109 MiB from guests.");
  tick.limits.host_memory = 4_GiB;
  CHECK(verdict(tick).state == HostState::fine);
}

TEST_CASE("a grow that the host limits makes it tight, one at the domain's own limit does not") {
  for (const Rule rule : {Rule::host_floor, Rule::share_out, Rule::numa_floor}) {
    Tick tick = tick_with(500_MiB);
    tick.decisions = {limited_grow(rule, 1500_MiB)};
    CHECK(verdict(tick).state == HostState::tight);
    CHECK(contains(verdict(tick).text,
                   "The host limits the grow of web. It can grant 1 GiB at once"));
  }
  Tick tick = tick_with(500_MiB);
  tick.decisions = {limited_grow(Rule::maximum, 1500_MiB)};
  CHECK(verdict(tick).state == HostState::fine);
}

TEST_CASE("a shortfall is covered by guests, makes the host tight, or is more than they can give") {
  Tick tick = tick_with(500_MiB);
  tick.grantable = {};
  tick.account.shortfall = 8_KiB;
  tick.account.reclaimable_in_all = 900_MiB;
  CHECK(verdict(tick).state == HostState::fine);
  CHECK(verdict(tick).text ==
        "The host can grant nothing at once; shrinks can take 512 MiB from guests.");
  tick.account.shortfall = 600_MiB;
  CHECK(verdict(tick).state == HostState::tight);
  CHECK(verdict(tick).text ==
        "Guests must release 600 MiB before any can grow; shrinks can take 900 MiB from them.");
  tick.account.shortfall = 964_MiB;
  CHECK(verdict(tick).state == HostState::tight);
  tick.account.shortfall = 965_MiB;
  CHECK(to_text(verdict(tick).state) == "short");
  CHECK(verdict(tick).text ==
        "Guests must release 965 MiB before any can grow, but shrinks can take only 900 MiB from "
        "them.");
  tick.account.reclaimable_in_all = {};
  CHECK(verdict(tick).text ==
        "Guests must release 965 MiB before any can grow, but shrinks can take nothing from them.");
}

TEST_CASE("a host with a shortfall over the remainder is not fine, however much guests can give") {
  Tick tick = tick_with(500_MiB);
  tick.account.reclaimable = 4_GiB;
  tick.account.reclaimable_in_all = 4_GiB;
  tick.account.shortfall = kToleratedShortfall;
  CHECK(verdict(tick).state == HostState::fine);
  tick.account.shortfall = kToleratedShortfall + 1_KiB;
  CHECK(verdict(tick).state == HostState::tight);
}

TEST_CASE("domains that lack memory are named before the shortfall") {
  Tick tick = tick_with(40_MiB);
  tick.grantable = {};
  tick.account.shortfall = 965_MiB;
  CHECK(contains(verdict(tick).text, "The host has too little memory for web. "));
}

TEST_CASE("a host under its floor is short, whatever its guests need") {
  Tick tick = tick_with(500_MiB);
  tick.snapshot.host.free = 150_MiB;
  CHECK(verdict(tick).state == HostState::short_of_memory);
  CHECK(contains(verdict(tick).text, "The host has 150 MiB left, under its floor of 200 MiB. It "));
}

TEST_CASE("a host is short while it has too little for a domain that is short of memory") {
  Tick tick = tick_with(40_MiB);
  SUBCASE("its grow is limited") {
    tick.decisions = {limited_grow(Rule::host_floor, 1_GiB)};
    CHECK(verdict(tick).state == HostState::short_of_memory);
    CHECK(
        contains(verdict(tick).text, "The host has too little memory for web. It can grant 1 GiB"));
  }
  SUBCASE("a limited grow that ends the shortage leaves it tight") {
    tick.decisions = {limited_grow(Rule::host_floor, 1500_MiB)};
    CHECK(verdict(tick).state == HostState::tight);
  }
  SUBCASE("nothing is asked for it, and nothing could be granted") {
    tick.grantable = {};
    CHECK(verdict(tick).state == HostState::short_of_memory);
  }
  SUBCASE("its policy leaves it short though there is memory") {
    CHECK(verdict(tick).state == HostState::fine);
  }
  SUBCASE("it is at its maximum, or skipped") {
    tick.grantable = {};
    tick.skipped = {{id("web"), Rule::fresh_stats, "its guest reports no statistics"}};
    CHECK(verdict(tick).state == HostState::fine);
    tick.skipped.clear();
    tick.snapshot.domains[1].maximum = 1_GiB;
    CHECK(verdict(tick).state == HostState::fine);
  }
}

TEST_CASE("two domains are named, of more the first is named and the others are counted") {
  World world;
  world.host(8_GiB, free(1_GiB)).domain("a", unused(1_MiB)).domain("b", unused(1_MiB));
  Tick tick;
  tick.snapshot = world;
  CHECK(contains(verdict(tick).text, "too little memory for a and b. "));
  tick.snapshot = world.domain("c", unused(1_MiB));
  CHECK(contains(verdict(tick).text, "too little memory for a and 2 others. "));
}

TEST_CASE("the sentence about a host that is not short mentions domains that are") {
  Tick tick = tick_with(40_MiB);
  const std::string of_host =
      "The host can grant 1 GiB at once; shrinks can take 512 MiB from guests.";
  CHECK(verdict(tick).text == of_host + " 1 domain is short of memory.");
  SUBCASE("a dry run serves none") {
    tick.dry_run = true;
    tick.decisions = {{id("web"), 1_GiB, 2_GiB, 2_GiB, "needs more", {}}};
    CHECK(verdict(tick).state == HostState::fine);
    CHECK(verdict(tick).text == of_host + " 1 domain is short of memory (dry run).");
  }
  SUBCASE("in a dry run a limited grow that would end the shortage leaves the host tight") {
    tick.dry_run = true;
    tick.decisions = {limited_grow(Rule::host_floor, 1500_MiB)};
    CHECK(verdict(tick).state == HostState::tight);
    tick.decisions = {limited_grow(Rule::host_floor, 1_GiB + 10_MiB)};
    CHECK(verdict(tick).state == HostState::short_of_memory);
  }
  SUBCASE("while the policy fails, the host is not to blame") {
    tick.policy_error = Error{ErrorCode::policy_failed, "./bad.lua:1", "boom", {}, {}};
    tick.grantable = {};
    tick.snapshot.domains[0].guest.unused = 1_MiB;
    CHECK(verdict(tick).state == HostState::fine);
    CHECK(contains(verdict(tick).text, " 2 domains are short of memory: the policy fails."));
    tick.fallback = "even";
    CHECK(verdict(tick).state == HostState::short_of_memory);
  }
  SUBCASE("a grow ends the shortage") {
    tick.decisions = {{id("web"), 1_GiB, 2_GiB, 2_GiB, "needs more", {}}};
    CHECK(verdict(tick).text == of_host);
  }
}
