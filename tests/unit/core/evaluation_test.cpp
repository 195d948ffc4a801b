#include "engine/core/evaluation.h"

#include <doctest/doctest.h>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// Where the engine itself wants a domain, beside what the policy asks for; none where it is
/// content.
std::optional<MemorySize> own_target(const World& world, const std::string& name,
                                     const std::vector<Proposal>& asked = {}) {
  const Observed observed(world);
  for (const Proposal& own : own_proposals(observed.situation(), asked)) {
    if (own.domain == id(name)) return own.target;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a domain under its configured minimum grows to it") {
  const World world = World().domain("a", actual(512_MiB), minimum(1_GiB));
  CHECK(own_target(world, "a") == 1_GiB);
  CHECK(own_target(world, "a", {{id("a"), 400_MiB, "shrink"}}) == 1_GiB);
  CHECK(own_target(world, "a", {{id("a"), 600_MiB, "grow"}}) == 1_GiB);
  CHECK_FALSE(own_target(world, "a", {{id("a"), 2_GiB, "grow"}}));
  CHECK_FALSE(own_target(World().domain("a", actual(1_GiB), minimum(1_GiB)), "a"));
}

TEST_CASE("a minimum over a domain's maximum leads to its maximum") {
  const World world =
      World().domain("a", actual(512_MiB), minimum(3_GiB), ceiling(2_GiB), maximum(4_GiB));
  CHECK(own_target(world, "a") == 2_GiB);
}

TEST_CASE("a domain over its configured maximum shrinks to it") {
  const World world = World().domain("a", actual(2_GiB), unused(1_GiB), ceiling(1500_MiB));
  CHECK(own_target(world, "a") == 1500_MiB);
  CHECK(own_target(world, "a", {{id("a"), 4_GiB, "grow"}}) == 1500_MiB);
  CHECK_FALSE(own_target(world, "a", {{id("a"), 1_GiB, "shrink"}}));
}

TEST_CASE("a domain over its cgroup's limit shrinks under it") {
  const World world = World().domain("a", actual(3_GiB), unused(1_GiB), hard_limit(2_GiB));
  CHECK(own_target(world, "a") == 2_GiB - 68_MiB);
}

TEST_CASE("the engine proposes nothing for a skipped domain") {
  CHECK_FALSE(own_target(World().domain("a", actual(512_MiB), minimum(1_GiB), no_report()), "a"));
  CHECK_FALSE(own_target(World().domain("a", actual(512_MiB), minimum(1_GiB), excluded()), "a"));
}

TEST_CASE("host_rescue takes what the host needs in proportion to what each domain can give") {
  const World world = World()
                          .host(16_GiB, free(50_MiB))
                          .domain("a", actual(4_GiB), unused(1_GiB))
                          .domain("b", actual(4_GiB), unused(512_MiB))
                          .domain("c", actual(4_GiB), unused(100_MiB));
  // They can give 512, 256 and 0 MiB.
  CHECK(own_target(world, "a") == 4_GiB - 100_MiB);
  CHECK(own_target(world, "b") == 4_GiB - 50_MiB);
  CHECK_FALSE(own_target(world, "c"));
}

TEST_CASE("host_rescue comes before a policy's grow, and leaves a larger shrink as it is") {
  const World world = World().host(16_GiB, free(50_MiB)).domain("a", actual(4_GiB), unused(1_GiB));
  CHECK(own_target(world, "a", {{id("a"), 8_GiB, "grow"}}) == 4_GiB - 150_MiB);
  CHECK_FALSE(own_target(world, "a", {{id("a"), 3_GiB, "shrink"}}));
}

TEST_CASE("host_rescue adds to a shrink under way and does not cancel it") {
  const auto world = [](Duration at, MemorySize left, MemorySize given) {
    return World()
        .host(16_GiB, free(left))
        .at(at)
        .domain("a", actual(4_GiB - given), unused(1_GiB - given))
        .domain("b", actual(4_GiB), unused(1_GiB));
  };
  Observed observed(world(0s, 1_GiB, 0_KiB));
  observed.moved("a", 4_GiB - 300_MiB);
  observed.then(world(1s, 0_KiB, 150_MiB));
  observed.then(world(2s, 0_KiB, 150_MiB));
  // Of its floor of 200 MiB the host lacks what is not coming back anyway.
  const auto own = own_proposals(observed.situation(), {});
  REQUIRE(observed.situation().rescue == 50_MiB);
  REQUIRE(own.size() == 2);
  CHECK(own[0].target < 4_GiB - 300_MiB);
  CHECK(own[1].target < 4_GiB);
  CHECK((4_GiB - 300_MiB - own[0].target) + (4_GiB - own[1].target) <= 50_MiB);
}

TEST_CASE("a policy does not turn round a shrink that the host's rescue needs") {
  const auto world = [](Duration at, MemorySize given) {
    return World()
        .host(16_GiB, free(given))
        .at(at)
        .domain("a", actual(4_GiB - given), unused(1_GiB - given));
  };
  Observed observed(world(0s, 0_KiB));
  observed.moved("a", 4_GiB - 500_MiB);
  observed.then(world(200ms, 100_MiB));
  // The host needs 100 MiB more, and 400 MiB are on their way.
  REQUIRE(observed.situation().rescue == 0_MiB);
  REQUIRE(observed.situation().rescue_under_way == 100_MiB);
  const auto own = own_proposals(observed.situation(), {{{id("a"), 4_GiB, "grow"}}});
  REQUIRE(own.size() == 1);
  CHECK(own[0].target == 4_GiB - 500_MiB);
  // Without a policy's proposal the shrink goes on by itself.
  CHECK(own_proposals(observed.situation(), {}).empty());
}

TEST_CASE("a decision for the host's rescue shows the rule by its name") {
  const Observed observed(
      World().host(16_GiB, free(50_MiB)).domain("a", actual(4_GiB), unused(1_GiB)));
  const auto own = own_proposals(observed.situation(), {});
  const auto decisions = guard::review(observed.snapshot(), observed.history(), own, {});
  REQUIRE(decisions.size() == 1);
  CHECK(decisions[0].target == 4_GiB - 150_MiB);
  CHECK(rules_of(decisions[0]) == std::vector{Rule::host_rescue});
}

TEST_CASE("host_rescue takes no more than all domains can give") {
  const World world = World()
                          .host(16_GiB, free(0_KiB))
                          .domain("a", actual(4_GiB), unused(200_MiB))
                          .domain("b", actual(4_GiB), unused(120_MiB));
  CHECK(own_target(world, "a") == 4_GiB - 100_MiB);
  CHECK(own_target(world, "b") == 4_GiB - 20_MiB);
}

TEST_CASE("the engine's own proposals replace a policy's for the same domain") {
  std::vector<Proposal> proposals{{id("a"), 1_GiB, "policy"}, {id("b"), 2_GiB, "policy"}};
  prefer(proposals, {{id("a"), 3_GiB, "engine"}});
  CHECK(proposals == std::vector<Proposal>{{id("b"), 2_GiB, "policy"}, {id("a"), 3_GiB, "engine"}});
}

TEST_CASE("early ticks pay back memory committed over capacity by their part of a second") {
  const Observed observed(World()
                              .host(8_GiB, free(1244_MiB))
                              .domain("a", actual(4_GiB), unused(1_GiB))
                              .domain("new", actual(2_GiB), rss(1_GiB - 66_MiB), no_report()));
  const auto taken = [&](Duration since_last) {
    const auto decisions =
        evaluate(observed.snapshot(), observed.history(),
                 [](const Situation&) { return std::vector<Proposal>(); }, {}, {2, since_last})
            .decisions;
    REQUIRE(decisions.size() == 1);
    return static_cast<double>((decisions[0].actual - decisions[0].target).kib());
  };
  CHECK(taken(1s) == 7 * 1024);
  CHECK(taken(200ms) == doctest::Approx(7 * 1024 / 5.0).epsilon(0.001));
  CHECK(taken(10s) == taken(1s));
}

TEST_CASE("memory committed over capacity that no guest touches is paid back slowly") {
  const World world = World()
                          .host(8_GiB, free(1244_MiB))
                          .domain("a", actual(4_GiB), unused(1_GiB))
                          .domain("new", actual(2_GiB), rss(1_GiB - 66_MiB), no_report());
  const Observed observed(world);
  REQUIRE(observed.situation().shortfall == 112_MiB);
  REQUIRE(observed.situation().rescue == 0_MiB);
  CHECK(own_target(world, "a") == 4_GiB - 7_MiB);
  CHECK_FALSE(own_target(world, "a", {{id("a"), 5_GiB, "grow"}}));
  // A policy that shrinks domains itself chooses them better.
  CHECK_FALSE(own_target(world, "a", {{id("a"), 4_GiB - 1_MiB, "shrink"}}));
}

// --- hints ---

TEST_CASE(
    "with --headroom unused, a hint names a domain full of page cache, its figures and the "
    "option") {
  Limits limits;
  limits.headroom = Headroom::unused;
  const Snapshot world = World()
                             .domain("a", unused(110_MiB), usable(900_MiB))
                             .domain("b", unused(50_MiB), usable(700_MiB))
                             .domain("full", unused(20_MiB), usable(30_MiB))
                             .domain("left-alone", unused(50_MiB), usable(700_MiB), excluded());
  const auto hints = page_cache_hints(world, 1_GiB, limits);
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].note.text ==
        "a: counts as short by --headroom unused, with 110 MiB unused, though 900 MiB are usable "
        "(page cache); --headroom larger, the default, counts that; 1 other domain likewise");
  CHECK(page_cache_hints(world, 1_GiB, {}).empty());
}

TEST_CASE("there is no hint where page cache would not help") {
  Limits limits;
  limits.headroom = Headroom::unused;
  CHECK(page_cache_hints(World().domain("a", unused(110_MiB), usable(120_MiB)), 1_GiB, limits)
            .empty());
  CHECK(page_cache_hints(World().domain("a", unused(400_MiB), usable(900_MiB)), 1_GiB, limits)
            .empty());
}

TEST_CASE("with --headroom unused, a hint names a host that page cache leaves nothing to give") {
  Limits limits;
  limits.headroom = Headroom::unused;
  const Snapshot world = World().host(8_GiB, free(200_MiB), available(6_GiB)).domain("a");
  const auto hints = page_cache_hints(world, MemorySize(), limits);
  REQUIRE(hints.size() == 1);
  CHECK(hints[0].note.text ==
        "host: has nothing to give by --headroom unused, with 200 MiB free, though 6 GiB are "
        "available (page cache); --headroom larger, the default, counts that");
  CHECK(page_cache_hints(world, 1_MiB, limits).empty());
  CHECK(page_cache_hints(world, MemorySize(), {}).empty());
}

TEST_CASE("a hint names a budget that is larger than the host") {
  Limits limits;
  limits.host_memory = 9_GiB;
  const Snapshot world = World().host(8_GiB).domain("a", actual(1_GiB));
  CHECK(budget_hint(world, limits)->note.text ==
        "--host-memory 9 GiB is more than the 8 GiB of the host, so it limits nothing");
  limits.overcommit = 1.5;
  CHECK_FALSE(budget_hint(world, limits));
  CHECK_FALSE(budget_hint(world, {}));
}

TEST_CASE("a hint names a budget that is smaller than what runs, at the first tick") {
  Limits limits;
  limits.host_memory = 2_GiB;
  const Snapshot world = World().host(8_GiB).domain("a", actual(1_GiB)).domain("b", actual(1_GiB));
  CHECK(budget_hint(world, limits)->note.text ==
        "--host-memory 2 GiB is less than the domains have (2 GiB) and the host's floor "
        "(200 MiB); memcoord shrinks domains to fit");
  const auto hints_at = [&](const TickTime& time) {
    History history;
    history.observe(world);
    const auto no_moves = [](const Situation&) { return std::vector<Proposal>(); };
    return evaluate(world, history, no_moves, limits, time).hints.size();
  };
  CHECK(hints_at({1, Duration()}) == 1);
  CHECK(hints_at({2, 1s}) == 0);
  limits.host_memory = 3_GiB;
  CHECK_FALSE(budget_hint(world, limits));
}

// --- the whole ---

TEST_CASE(
    "an evaluation shows the policy the situation, and reviews what it and the engine propose") {
  const Observed observed(World()
                              .host(8_GiB, free(4_GiB))
                              .domain("grows", actual(1_GiB))
                              .domain("low", actual(512_MiB), minimum(1_GiB))
                              .domain("paused", state(DomainState::paused)));
  int asked = 0;
  const auto policy = [&](const Situation& situation) {
    ++asked;
    CHECK(situation.tick == 7);
    CHECK(situation.since_last == 2s);
    CHECK(situation.domains[2].skipped->rule == Rule::running_only);
    return std::vector<Proposal>{{id("grows"), 16_GiB, "policy"}, {id("low"), 600_MiB, "policy"}};
  };
  const Evaluation result =
      evaluate(observed.snapshot(), observed.history(), policy, observed.limits(), {7, 2s});
  CHECK(asked == 1);
  REQUIRE(result.proposals.size() == 2);
  CHECK(result.proposals[1].target == 1_GiB);
  CHECK(result.proposals[1].why == "is under its minimum of 1 GiB");
  CHECK(result.decisions == guard::review(result.situation, result.proposals));
  CHECK(result.decisions[0].target < 8_GiB);
  CHECK(result.decisions[1].target == 1_GiB);
  CHECK(result.hints.empty());
  CHECK_FALSE(result.beyond_rescue);
}

TEST_CASE("an evaluation reports a host that lacks more than its domains can give") {
  const Observed observed(World().host(8_GiB, free(50_MiB)).domain("a", unused(120_MiB)));
  const auto nothing = [](const Situation&) { return std::vector<Proposal>(); };
  const Evaluation result =
      evaluate(observed.snapshot(), observed.history(), nothing, observed.limits(), {});
  REQUIRE(result.beyond_rescue);
  CHECK(result.beyond_rescue->note.text.find("can give no more than 20 MiB") != std::string::npos);
  CHECK(result.proposals.size() == 1);
}
