#include <doctest/doctest.h>

#include <string>

#include "engine/observers/explanation.h"
#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::observers;
using namespace memcoord::test;

namespace {

/// A tick of policy "adaptive" on a host with 3 GiB free.
Tick tick_with(const World& world, MemorySize grantable = MemorySize()) {
  Tick tick;
  tick.policy = "adaptive";
  tick.snapshot = world;
  tick.grantable = grantable;
  return tick;
}

/// "web", which lacks 60 MiB of headroom.
template <class... Properties>
World short_world(Properties... properties) {
  World world;
  world.host(8_GiB, free(3_GiB))
      .domain("web", actual(1_GiB), maximum(4_GiB), unused(40_MiB), properties...);
  return world;
}

/// Why the first domain of the tick is short.
std::string shortage(const Tick& tick, const Domain* before = nullptr) {
  const auto all = domain_ticks(tick, [&](const Domain&) { return before; });
  return shortage_of(all.at(0));
}

/// A decision that leaves "web" as it is because of a rule.
Decision refused(MemorySize proposed, Rule rule, const std::string& why) {
  return {id("web"), 1_GiB, proposed, 1_GiB, "runs short", {{rule, proposed, 1_GiB, why}}};
}

}  // namespace

TEST_CASE("a shortage names the host if it has nothing to grant") {
  CHECK(shortage(tick_with(short_world())) == "short by 60 MiB: the host has nothing to grant");
  CHECK(shortage(tick_with(short_world(), 16_KiB)) ==
        "short by 60 MiB: the host has nothing to grant");
  SUBCASE("because it is under its floor") {
    World world = short_world();
    world.host(8_GiB, free(150_MiB));
    CHECK(shortage(tick_with(world)) == "short by 60 MiB: the host is under its floor of 200 MiB");
  }
  SUBCASE("of its budget") {
    Tick tick = tick_with(short_world());
    tick.limits.host_memory = 6_GiB;
    CHECK(shortage(tick) ==
          "short by 60 MiB: the host has nothing to grant of its budget of 6 GiB");
  }
  SUBCASE("before others have shrunk") {
    World world = short_world();
    world.domain("zip", actual(2_GiB));
    Tick tick = tick_with(world);
    tick.outcomes = {{id("zip"), 2_GiB, 1_GiB, Outcome::Kind::applied, {}}};
    CHECK(shortage(tick) ==
          "short by 60 MiB: the host has nothing to grant; shrinks are to release 1 GiB");
    tick.outcomes[0].kind = Outcome::Kind::dry_run;
    CHECK(shortage(tick) == "short by 60 MiB: the host has nothing to grant");
  }
  SUBCASE("and a grow was refused for it") {
    Tick tick = tick_with(short_world());
    tick.decisions = {refused(2_GiB, Rule::host_floor, "the host has nothing to give")};
    CHECK(shortage(tick) == "short by 60 MiB: the host has nothing to grant");
  }
  SUBCASE("or less than the domain lacks") {
    CHECK(shortage(tick_with(short_world(), 12_MiB)) ==
          "short by 60 MiB: the host can grant only 12 MiB; policy adaptive proposes no grow");
  }
}

TEST_CASE("a shortage names the NUMA nodes of the domain if these are full") {
  World world = short_world(bound_to({1}));
  world.host(8_GiB, free(3_GiB), node(0, 4_GiB, 3_GiB), node(1, 4_GiB, 90_MiB));
  CHECK(shortage(tick_with(world, 2_GiB)) == "short by 60 MiB: node 1 has nothing to grant");
  world.host(8_GiB, free(3_GiB), node(0, 4_GiB, 3_GiB), node(1, 4_GiB, 900_MiB));
  CHECK(shortage(tick_with(world, 2_GiB)) ==
        "short by 60 MiB: policy adaptive proposes no grow; the host can grant 2 GiB");
}

TEST_CASE("a shortage names the maximum that is reached") {
  CHECK(shortage(tick_with(short_world(maximum(1_GiB)), 2_GiB)) ==
        "short by 60 MiB: at its maximum of 1 GiB");
  CHECK(shortage(tick_with(short_world(ceiling(512_MiB)), 2_GiB)) ==
        "short by 60 MiB: at its configured maximum of 512 MiB");
  CHECK(shortage(tick_with(short_world(hard_limit(1_GiB)), 2_GiB))
            .starts_with("short by 60 MiB: at its cgroup's limit of "));
  Tick tick = tick_with(short_world(maximum(1_GiB)), 2_GiB);
  tick.decisions = {refused(2_GiB, Rule::maximum, "passes its maximum of 1 GiB")};
  CHECK(shortage(tick) == "short by 60 MiB: at its maximum of 1 GiB");
}

TEST_CASE("a shortage names the policy if it does not help") {
  Tick tick = tick_with(short_world(), 2_GiB);
  CHECK(shortage(tick) ==
        "short by 60 MiB: policy adaptive proposes no grow; the host can grant 2 GiB");
  tick.decisions = {{id("web"), 1_GiB, 1_GiB, 1_GiB, "settled", {}}};
  CHECK(shortage(tick) == "short by 60 MiB: policy adaptive proposes its present size");
  tick.decisions = {refused(512_MiB, Rule::domain_floor, "would leave 0 KiB unused")};
  CHECK(shortage(tick) == "short by 60 MiB: policy adaptive proposes to shrink it");
  tick.decisions.clear();
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, {}};
  CHECK(shortage(tick) == "short by 60 MiB: policy adaptive failed");
  SUBCASE("or the fallback policy that decides in its place") {
    tick.fallback = "halving";
    CHECK(shortage(tick) ==
          "short by 60 MiB: fallback policy halving proposes no grow; the host can grant 2 GiB");
    tick.decisions = {refused(512_MiB, Rule::domain_floor, "would leave 0 KiB unused")};
    CHECK(shortage(tick) == "short by 60 MiB: fallback policy halving proposes to shrink it");
    tick.decisions.clear();
    tick.grantable = MemorySize();
    CHECK(shortage(tick) == "short by 60 MiB: the host has nothing to grant");
  }
}

TEST_CASE("a shortage names the rule that refuses a grow") {
  Tick tick = tick_with(short_world(), 2_GiB);
  tick.decisions = {refused(2_GiB, Rule::numa_floor, "node 1 can give 4 KiB")};
  CHECK(shortage(tick) == "short by 60 MiB: node 1 can give 4 KiB");
}

TEST_CASE("a shortage names why the domain is skipped") {
  Tick tick = tick_with(short_world(), 2_GiB);
  tick.skipped = {{id("web"), Rule::fresh_stats, "its statistics are older than 4 s"}};
  CHECK(shortage(tick) == "short by 60 MiB: skipped, its statistics are older than 4 s");
  tick.skipped = {{id("web"), std::nullopt, "paused by root"}};
  CHECK(shortage(tick) == "short by 60 MiB: skipped, paused by root");
  SUBCASE("its guest runs on while it is migrated or backed up") {
    tick = tick_with(short_world(state(DomainState::migrating)), 2_GiB);
    tick.skipped = {{id("web"), Rule::running_only, "is migrating"}};
    CHECK(shortage(tick) == "short by 60 MiB: skipped, it is migrating");
  }
  SUBCASE("a guest that does not run is short of nothing") {
    CHECK(shortage(tick_with(short_world(state(DomainState::paused)))).empty());
  }
}

TEST_CASE("a shortage says what comes of a grow") {
  Tick tick = tick_with(short_world(), 2_GiB);
  tick.decisions = {{id("web"), 1_GiB, 2_GiB, 2_GiB, "fed by db", {}}};
  const auto problem = [&] { return problem_of(tick, tick.snapshot.domains[0], nullptr); };
  SUBCASE("that ends it") {
    CHECK(shortage(tick) == "short by 60 MiB: grows by 1 GiB, fed by db");
    CHECK(problem().empty());
  }
  SUBCASE("that is too small") {
    tick.decisions[0].target = 1044_MiB;
    tick.decisions[0].rules = {
        {Rule::share_out, 2_GiB, 1044_MiB, "the host can give 1 GiB to all"}};
    CHECK(shortage(tick) == "short by 60 MiB: grows by 20 MiB, the host can give 1 GiB to all");
    CHECK(problem() == shortage(tick));
  }
  SUBCASE("in a dry run") {
    tick.dry_run = true;
    tick.outcomes = {{id("web"), 1_GiB, 2_GiB, Outcome::Kind::dry_run, {}}};
    CHECK(shortage(tick) == "short by 60 MiB: would grow by 1 GiB (dry run), fed by db");
    CHECK(problem() == shortage(tick));
  }
  SUBCASE("whose reason is the shortage itself") {
    tick.decisions[0].why = "is short of memory";
    CHECK(shortage(tick) == "short by 60 MiB: grows by 1 GiB");
  }
  SUBCASE("that libvirt refused") {
    tick.outcomes = {{id("web"), 1_GiB, 2_GiB, Outcome::Kind::failed,
                      Error{ErrorCode::timed_out, "web", "no answer", {}, {}}}};
    CHECK(shortage(tick) == "short by 60 MiB: not moved: no answer");
    CHECK(problem() == shortage(tick));
  }
  SUBCASE("that libvirt did not answer") {
    tick.outcomes = {{id("web"), 1_GiB, 2_GiB, Outcome::Kind::unknown, {}}};
    CHECK(shortage(tick) == "short by 60 MiB: whether it grew is not known");
  }
}

TEST_CASE("a guest that swaps is short, whatever its headroom") {
  const Snapshot before = World().domain("web", unused(500_MiB), swapped(0_MiB, 0_MiB));
  const Tick tick = tick_with(World().domain("web", unused(500_MiB), swapped(8_MiB, 0_MiB)));
  CHECK(shortage(tick, &before.domains[0]) == "swaps: the host has nothing to grant");
  CHECK(shortage(tick).empty());
}

TEST_CASE("a guest with exactly its floor of headroom is not short") {
  CHECK(shortage(tick_with(World().domain("web", unused(100_MiB)))).empty());
}

TEST_CASE("in a narrow column, the reason of a shortage stays longest") {
  const Tick before = crowded_tick(1, 0, 1);
  const Tick tick = crowded_tick(2, 0, 1);
  const auto all =
      domain_ticks(tick, [&](const Domain&) { return before.snapshot.domains.data(); });
  const auto in = [&](std::size_t width) { return shortage_of(all.at(0), width); };
  CHECK(in(53) == "short by 60 MiB, swaps: the host has nothing to grant");
  CHECK(in(52) == "short by 60 MiB: the host has nothing to grant");
  CHECK(in(46) == "short by 60 MiB: the host has nothing to grant");
  CHECK(in(45) == "swaps: the host has nothing to grant");
  CHECK(in(10) == "swaps: the host has nothing to grant");
  CHECK(explain(tick, tick.snapshot.domains[0], before.snapshot.domains.data()).answer ==
        "It is short by 60 MiB and swaps: the host has nothing to grant.");
}
