#include "engine/core/own_proposals.h"

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
  const Seen seen(world);
  for (const Proposal& own : own_proposals(seen.situation(), asked)) {
    if (own.domain == id(name)) return own.target;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a domain under its configured minimum is brought up to it") {
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

TEST_CASE("a domain over its configured maximum is brought down to it") {
  const World world = World().domain("a", actual(2_GiB), unused(1_GiB), ceiling(1500_MiB));
  CHECK(own_target(world, "a") == 1500_MiB);
  CHECK(own_target(world, "a", {{id("a"), 4_GiB, "grow"}}) == 1500_MiB);
  CHECK_FALSE(own_target(world, "a", {{id("a"), 1_GiB, "shrink"}}));
}

TEST_CASE("a domain over its cgroup's limit is brought under it") {
  const World world = World().domain("a", actual(3_GiB), unused(1_GiB), hard_limit(2_GiB));
  CHECK(own_target(world, "a") == 2_GiB - 68_MiB);
}

TEST_CASE("a domain that no decision may touch is not brought anywhere") {
  CHECK_FALSE(own_target(World().domain("a", actual(512_MiB), minimum(1_GiB), silent()), "a"));
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

TEST_CASE("host_rescue takes more than a shrink under way gives, and does not call that off") {
  const auto world = [](Duration at, MemorySize left, MemorySize given) {
    return World()
        .host(16_GiB, free(left))
        .at(at)
        .domain("a", actual(4_GiB - given), unused(1_GiB - given))
        .domain("b", actual(4_GiB), unused(1_GiB));
  };
  Seen seen(world(0s, 1_GiB, 0_KiB));
  seen.moved("a", 4_GiB - 300_MiB);
  seen.then(world(1s, 0_KiB, 150_MiB));
  seen.then(world(2s, 0_KiB, 150_MiB));
  // Of its floor of 200 MiB the host lacks what is not coming back anyway.
  const auto own = own_proposals(seen.situation(), {});
  REQUIRE(seen.situation().rescue == 50_MiB);
  REQUIRE(own.size() == 2);
  CHECK(own[0].target < 4_GiB - 300_MiB);
  CHECK(own[1].target < 4_GiB);
  CHECK((4_GiB - 300_MiB - own[0].target) + (4_GiB - own[1].target) <= 50_MiB);
}

TEST_CASE("a decision for the host's rescue shows the rule by its name") {
  const Seen seen(World().host(16_GiB, free(50_MiB)).domain("a", actual(4_GiB), unused(1_GiB)));
  const auto own = own_proposals(seen.situation(), {});
  const auto decisions = guard::review(seen.snapshot(), seen.history(), own, {});
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

TEST_CASE("the engine's own proposals take the place of a policy's for the same domain") {
  std::vector<Proposal> proposals{{id("a"), 1_GiB, "policy"}, {id("b"), 2_GiB, "policy"}};
  prefer(proposals, {{id("a"), 3_GiB, "engine"}});
  CHECK(proposals == std::vector<Proposal>{{id("b"), 2_GiB, "policy"}, {id("a"), 3_GiB, "engine"}});
}

TEST_CASE("memory committed over capacity that nobody touches is paid back calmly") {
  const World world = World()
                          .host(8_GiB, free(1244_MiB))
                          .domain("a", actual(4_GiB), unused(1_GiB))
                          .domain("new", actual(2_GiB), rss(1_GiB - 66_MiB), silent());
  const Seen seen(world);
  REQUIRE(seen.situation().owed == 112_MiB);
  REQUIRE(seen.situation().rescue == 0_MiB);
  CHECK(own_target(world, "a") == 4_GiB - 7_MiB);
  CHECK_FALSE(own_target(world, "a", {{id("a"), 5_GiB, "grow"}}));
  // A policy that gives something back itself knows better where.
  CHECK_FALSE(own_target(world, "a", {{id("a"), 4_GiB - 1_MiB, "shrink"}}));
}
