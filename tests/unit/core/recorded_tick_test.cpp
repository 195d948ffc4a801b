#include "engine/core/recorded_tick.h"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

const World kHost =
    World().host(8_GiB, free(4_GiB)).domain("a", unused(800_MiB)).domain("b", unused(800_MiB));

/// Two ticks in a row of a run without moves.
std::pair<Tick, Tick> two_ticks(std::vector<Snapshot> snapshots) {
  CoordinatorHarness harness(std::move(snapshots), asks({}));
  Tick before = harness.coordinator.tick();
  harness.clock.sleep_through(1s);
  return {std::move(before), harness.coordinator.tick()};
}

}  // namespace

TEST_CASE("another policy decides on a recorded tick, and the guard limits it") {
  const auto [before, tick] = two_ticks({kHost, World(kHost).at(1s)});
  const auto policy = asks({{"a", 900_MiB}, {"b", 100_MiB}});
  const Reconsideration result = reconsider(&before, tick, *policy);
  REQUIRE(result.decisions.size() == 2);
  CHECK(result.decisions[0].target == 900_MiB);
  CHECK(result.decisions[1].target == 1_GiB - 400_MiB);
  CHECK(rules_of(result.decisions[1]) == std::vector{Rule::gradual});
  CHECK(result.proposals.size() == 2);
}

TEST_CASE("the policy sees the tick before first, and how long ago that was") {
  const auto [before, tick] = two_ticks({kHost, World(kHost).at(3s)});
  std::vector<std::pair<std::uint64_t, Duration>> seen;
  FakePolicy policy([&](const Situation& situation) -> Result<PolicyAnswer> {
    seen.emplace_back(situation.tick, situation.since_last);
    return PolicyAnswer{};
  });
  static_cast<void>(reconsider(&before, tick, policy));
  CHECK(seen == std::vector<std::pair<std::uint64_t, Duration>>{{1, 0s}, {2, 3s}});
  seen.clear();
  static_cast<void>(reconsider(nullptr, tick, policy));
  CHECK(seen == std::vector<std::pair<std::uint64_t, Duration>>{{2, 0s}});
}

TEST_CASE("what the run granted and skipped counts, not what two ticks show") {
  auto [before, tick] = two_ticks({kHost, World(kHost).at(1s)});
  tick.grantable = 100_MiB;
  tick.skipped = {{id("b"), {}, "paused by root"}};
  const auto policy = asks({{"a", 2_GiB}, {"b", 900_MiB}});
  const Reconsideration result = reconsider(&before, tick, *policy);
  REQUIRE(result.decisions.size() == 2);
  CHECK(result.decisions[0].target == 1_GiB + 100_MiB);
  CHECK(result.decisions[1].holds());
}

TEST_CASE("a policy that fails leaves the engine's own proposals") {
  const auto [first, second] =
      two_ticks({World().host(8_GiB, free(4_GiB)).domain("a", minimum(2_GiB))});
  FakePolicy policy([](const Situation&) -> Result<PolicyAnswer> {
    return fail(ErrorCode::policy_failed, "bad.lua:3", "broke");
  });
  const Reconsideration result = reconsider(nullptr, first, policy);
  REQUIRE(result.policy_error);
  CHECK(result.policy_error->message == "broke");
  REQUIRE(result.proposals.size() == 1);
  CHECK(result.proposals[0].target == 2_GiB);
}
