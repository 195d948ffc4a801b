// What the guard does to all grows together: host_floor, share_out, numa_floor, and settle().

#include <doctest/doctest.h>

#include <string>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

using Rules = std::vector<Rule>;

/// Two nodes of 8 GiB, so that 100 MiB of the host's floor are each one's part.
World two_nodes(MemorySize free_on_0, MemorySize free_on_1) {
  return World().host(16_GiB, free(free_on_0 + free_on_1), node(0, 8_GiB, free_on_0),
                      node(1, 8_GiB, free_on_1));
}

/// In the words of the last rule that limited it.
std::string why(const Decision& decision) {
  return decision.rules.empty() ? std::string() : decision.rules.back().why;
}

std::vector<Rule> only_numa_floor() {
  return {Rule::numa_floor};
}

}  // namespace

// --- host_floor ---

TEST_CASE("host_floor lets no grow take the host under 200 MiB free") {
  const Observed observed(World().host(8_GiB, free(500_MiB)).domain("a"));
  const Decision d = observed.decide("a", 2_GiB);
  CHECK(d.target == 1_GiB + 300_MiB);
  CHECK(rules_of(d) == Rules{Rule::host_floor});
  CHECK(observed.decide("a", 1_GiB + 300_MiB).rules.empty());
}

TEST_CASE("host_floor grants nothing on a host at its floor") {
  const Observed observed(World().host(8_GiB, free(200_MiB)).domain("a"));
  const Decision d = observed.decide("a", 2_GiB);
  CHECK(d.holds());
  CHECK(rules_of(d) == Rules{Rule::host_floor});
}

TEST_CASE("a grow may count on what the same tick's shrinks release, after their own bounds") {
  const Observed observed(World()
                              .host(8_GiB, free(200_MiB))
                              .domain("poor", actual(512_MiB), unused(20_MiB))
                              .domain("rich", actual(1_GiB), unused(800_MiB)));
  const auto decisions = observed.decide({{"poor", 1_GiB}, {"rich", 512_MiB}});
  CHECK(decisions[1].target == 1_GiB - 400_MiB);  // gradual
  CHECK(decisions[0].target == 912_MiB);
}

TEST_CASE("a grow that is already committed costs nothing again") {
  Observed observed(World().host(8_GiB, free(500_MiB)).domain("a", actual(512_MiB)));
  observed.moved("a", 812_MiB);
  // All of the 300 MiB that the host can give is on its way to this domain.
  observed.then(
      World().host(8_GiB, free(500_MiB)).at(2s).domain("a", actual(512_MiB), rss(512_MiB)));
  CHECK(guard::balance(observed.snapshot(), observed.history(), {}).grantable == 0_MiB);
  CHECK(observed.decide("a", 812_MiB).target == 812_MiB);
  CHECK(observed.decide("a", 900_MiB).target == 812_MiB);
}

TEST_CASE("a shrink covers the host's shortfall before it serves a grow") {
  const Observed observed(World()
                              .host(8_GiB, free(500_MiB))
                              .domain("poor", actual(512_MiB), unused(20_MiB))
                              .domain("rich", actual(1_GiB), unused(800_MiB), rss(424_MiB)));
  const auto decisions = observed.decide({{"poor", 1_GiB}, {"rich", 512_MiB}});
  CHECK(decisions[1].target == 1_GiB - 400_MiB);  // gradual
  CHECK(decisions[0].target == 512_MiB + 100_MiB - 64_MiB);
}

// --- share_out ---

TEST_CASE("share_out scales grows that together pass what the host can give, in any order") {
  const Observed observed(World().host(8_GiB, free(500_MiB)).domain("a").domain("b").domain("c"));
  const auto decisions = observed.decide({{"a", 2_GiB}, {"b", 2_GiB}, {"c", 1_GiB + 20_MiB}});
  CHECK(decisions[2].target == 1_GiB + 20_MiB);
  CHECK(decisions[0].target == 1_GiB + 140_MiB);
  CHECK(decisions[1].target == 1_GiB + 140_MiB);
  CHECK(rules_of(decisions[0]) == Rules{Rule::share_out});
  CHECK(decisions[2].rules.empty());
}

// --- settle ---

TEST_CASE("settle gives only what the shrinks have really released") {
  const World before = World()
                           .host(8_GiB, free(200_MiB))
                           .domain("poor", actual(512_MiB), unused(20_MiB))
                           .domain("rich", actual(1_GiB), unused(800_MiB));
  const Observed observed(before);
  const auto decisions = observed.decide({{"poor", 1_GiB}, {"rich", 512_MiB}});
  // The guest has handed over a quarter so far.
  const Snapshot later = World()
                             .host(8_GiB, free(300_MiB))
                             .domain("poor", actual(512_MiB), unused(20_MiB))
                             .domain("rich", actual(924_MiB), unused(700_MiB));
  const auto settled = guard::settle(decisions, later, observed.history(), {});
  CHECK(settled[0].target == 612_MiB);
  CHECK(rules_of(settled[0]) == Rules{Rule::host_floor});
  CHECK(settled[1] == decisions[1]);
}

TEST_CASE("settle gives nothing to a domain that has gone meanwhile") {
  const Observed observed(World().domain("a"));
  const auto decisions = observed.decide({{"a", 2_GiB}});
  const auto settled = guard::settle(decisions, World().domain("b"), observed.history(), {});
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].holds());
}

// --- numa_floor ---

TEST_CASE("a bound domain grows into its node's free memory, less the node's part of the floor") {
  const Observed observed(two_nodes(1_GiB, 7_GiB).domain("a", bound_to({0})));
  const Decision d = observed.decide("a", 4_GiB);
  CHECK(d.target == 1_GiB + 924_MiB);
  CHECK(rules_of(d) == only_numa_floor());
  CHECK(why(d) == "node 0 can give 924 MiB");
  CHECK(observed.decide("a", 1_GiB + 924_MiB).rules.empty());
}

TEST_CASE("a domain that is bound to no node takes memory from all nodes") {
  const Observed observed(two_nodes(1_GiB, 3_GiB).domain("a"));
  CHECK(observed.decide("a", 4_GiB).rules.empty());
  CHECK(observed.decide("a", 8_GiB).target == 1_GiB + 4_GiB - 200_MiB);
}

TEST_CASE("a domain that is bound to several nodes grows into what they have together") {
  const Observed observed(two_nodes(1_GiB, 3_GiB).domain("a", bound_to({0, 1})));
  CHECK(observed.decide("a", 8_GiB).target == 1_GiB + 4_GiB - 200_MiB);
}

TEST_CASE("a grow may fall wholly into the guest's cell whose node has least") {
  const Observed observed(
      two_nodes(1_GiB, 3_GiB)
          .domain("a", maximum(8_GiB), cell_bound_to({0}, 4_GiB), cell_bound_to({1}, 4_GiB)));
  CHECK(observed.decide("a", 4_GiB).target == 1_GiB + 924_MiB);
}

TEST_CASE("domains bound to one node share by weight what it can give") {
  const Observed observed(two_nodes(1_GiB, 7_GiB)
                              .domain("a", bound_to({0}))
                              .domain("b", bound_to({0}), weight(3))
                              .domain("elsewhere", bound_to({1})));
  const auto decisions = observed.decide({{"a", 4_GiB}, {"b", 4_GiB}, {"elsewhere", 4_GiB}});
  CHECK(decisions[0].target == 1_GiB + 231_MiB);
  CHECK(decisions[1].target == 1_GiB + 693_MiB);
  CHECK(why(decisions[1]) == "node 0 can give 924 MiB to all that are bound there");
  CHECK(decisions[2].rules.empty());
}

TEST_CASE("a domain bound to more nodes shares with those that are bound to some of them") {
  const Observed observed(
      two_nodes(600_MiB, 1400_MiB).domain("both", bound_to({0, 1})).domain("one", bound_to({1})));
  const auto decisions = observed.decide({{"both", 8_GiB}, {"one", 8_GiB}});
  CHECK(decisions[0].target == 1_GiB + 900_MiB);
  // Of the other's 900 MiB, seven tenths are expected on this node.
  CHECK(decisions[1].target == 1_GiB + 1300_MiB - 630_MiB);
}

TEST_CASE("a grow of an unbound domain counts on a node by the node's part of the free memory") {
  const Observed observed(two_nodes(1_GiB, 7_GiB).domain("a", bound_to({0})).domain("free"));
  const auto decisions = observed.decide({{"a", 4_GiB}, {"free", 4_GiB}});
  CHECK(decisions[0].target == 1_GiB + 924_MiB - 384_MiB);
  CHECK(decisions[1].rules.empty());
}

TEST_CASE("what a node cannot give to the domains bound there goes to the others") {
  const Observed observed(two_nodes(100_MiB, 1948_MiB).domain("a", bound_to({0})).domain("free"));
  const auto decisions = observed.decide({{"a", 4_GiB}, {"free", 4_GiB}});
  CHECK(decisions[0].holds());
  CHECK(why(decisions[0]) == "node 0 has nothing to give above its part of the host's floor");
  CHECK(decisions[1].target == 1_GiB + 1848_MiB);
}

TEST_CASE("memory that domains bound to a node may still touch counts as taken there") {
  const auto target = [](const DomainProperty& where) {
    const Observed observed(two_nodes(1_GiB, 7_GiB)
                                .domain("a", bound_to({0}))
                                .domain("untouched", actual(1_GiB), rss(724_MiB), where));
    return observed.decide("a", 4_GiB).target;
  };
  // 300 MiB, and 64 MiB of QEMU's own.
  CHECK(target(bound_to({0})) == 1_GiB + 924_MiB - 364_MiB);
  CHECK(target(bound_to({1})) == 1_GiB + 924_MiB);
  CHECK(target(weight(1)) == 1_GiB + 924_MiB - 364_MiB / 8);
  // No more of it than the cell has.
  CHECK(target(cell_bound_to({0}, 200_MiB)) < 1_GiB + 924_MiB - 200_MiB);
  CHECK(target(cell_bound_to({0}, 200_MiB)) > 1_GiB + 924_MiB - 364_MiB);
}

TEST_CASE("a grow in flight is committed on its nodes") {
  Observed observed(two_nodes(1_GiB, 7_GiB).domain("a", bound_to({0})).domain("b", bound_to({0})));
  observed.moved("b", 1_GiB + 500_MiB);
  CHECK(observed.decide("a", 4_GiB).target == 1_GiB + 424_MiB);
}

TEST_CASE("memory that KSM saves may be needed again on any node") {
  const Observed observed(
      World()
          .host(16_GiB, free(8_GiB), merged(800_MiB), node(0, 8_GiB, 1_GiB), node(1, 8_GiB, 7_GiB))
          .domain("a", bound_to({0})));
  CHECK(observed.decide("a", 4_GiB).target == 1_GiB + 824_MiB);
}

TEST_CASE("a shrink gives to the domains bound to its nodes, and to no others") {
  const auto target = [](NodeSet nodes) {
    const Observed observed(
        two_nodes(100_MiB, 1_GiB)
            .domain("a", bound_to({0}))
            .domain("rich", actual(2_GiB), unused(1_GiB), bound_to(std::move(nodes))));
    return observed.decide({{"a", 4_GiB}, {"rich", 1_GiB}}).front().target;
  };
  CHECK(target({0}) == 1_GiB + 512_MiB);
  CHECK(target({1}) == 1_GiB);
  CHECK(target({0, 1}) == 1_GiB);
}

TEST_CASE("a node's shortfall is covered before the node gives any memory") {
  const Observed observed(two_nodes(300_MiB, 7_GiB)
                              .domain("a", bound_to({0}))
                              .domain("rich", actual(2_GiB), unused(1_GiB), bound_to({0}))
                              .domain("untouched", actual(1_GiB), rss(724_MiB), bound_to({0})));
  const auto decisions = observed.decide({{"a", 4_GiB}, {"rich", 1_GiB}});
  CHECK(decisions[0].target == 1_GiB + 512_MiB - 164_MiB);
}

TEST_CASE("page cache of a node counts as the host's does, by the chosen figure") {
  const auto target = [](Headroom headroom) {
    Limits limits;
    limits.headroom = headroom;
    const Observed observed(World()
                                .host(16_GiB, free(4_GiB), available(12_GiB),
                                      node(0, 8_GiB, 200_MiB, 2_GiB), node(1, 8_GiB, 3_GiB, 10_GiB))
                                .domain("a", bound_to({0})),
                            limits);
    return observed.decide("a", 8_GiB).target;
  };
  CHECK(target(Headroom::larger) == 1_GiB + 2_GiB - 100_MiB);
  CHECK(target(Headroom::usable) == 1_GiB + 2_GiB - 100_MiB);
  CHECK(target(Headroom::unused) == 1_GiB + 100_MiB);
}

TEST_CASE("a domain bound to a node that the host does not report does not grow") {
  const Observed observed(two_nodes(4_GiB, 4_GiB).domain("a", bound_to({2})));
  const Decision d = observed.decide("a", 2_GiB);
  CHECK(d.holds());
  CHECK(why(d) == "the host does not report what is free on node 2");
}

TEST_CASE("overcommit lets more be committed on a node, but never takes it under its floor") {
  const auto target = [](double overcommit, MemorySize free_on_0) {
    Limits limits;
    limits.overcommit = overcommit;
    const Observed observed(
        two_nodes(free_on_0, 7_GiB)
            .domain("a", bound_to({0}))
            .domain("untouched", actual(2_GiB), rss(1_GiB), no_report(), bound_to({0})),
        limits);
    return observed.decide("a", 8_GiB).target;
  };
  CHECK(target(1.0, 1_GiB) == 1_GiB);
  CHECK(target(1.5, 1_GiB) == 1_GiB + 924_MiB);
  CHECK(target(1.5, 100_MiB) == 1_GiB);
}

TEST_CASE("settle gives a bound domain what its node then has") {
  const auto world = [](MemorySize free_on_0, MemorySize rich) {
    return two_nodes(free_on_0, 1_GiB)
        .domain("a", bound_to({0}))
        .domain("rich", actual(rich), unused(1_GiB), bound_to({0}));
  };
  const Observed observed(world(100_MiB, 2_GiB));
  const auto decisions = observed.decide({{"a", 4_GiB}, {"rich", 1_GiB}});
  const auto settled =
      guard::settle(decisions, world(300_MiB, 2_GiB - 200_MiB), observed.history(), {});
  CHECK(settled[0].target == 1_GiB + 200_MiB);
  CHECK(rules_of(settled[0]) == only_numa_floor());
  CHECK(settled[1] == decisions[1]);
}

TEST_CASE("a situation contains what a domain's nodes may give it") {
  const Observed observed(two_nodes(1_GiB, 7_GiB).domain("a", bound_to({0})).domain("free"));
  const Situation situation = observed.situation();
  CHECK(situation.domains[0].grantable == 924_MiB);
  CHECK(situation.domains[1].grantable == situation.grantable);
  CHECK(situation.grantable > 924_MiB);
  CHECK(situation.domains[0].reclaimable == situation.domains[1].reclaimable);
}
