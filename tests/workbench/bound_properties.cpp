// No policy passes the clairvoyant bound on random scenarios.

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "bindings/lua_policy.h"
#include "engine/workbench/clairvoyant.h"
#include "engine/workbench/simulation.h"
#include "tests/workbench/random_scenario.h"

using namespace memcoord;
using namespace memcoord::workbench;

namespace {

/// The number of scenarios from the environment, or the test run's.
std::uint64_t scenario_count() {
  const char* set = std::getenv("MEMCOORD_RANDOM_SCENARIOS");
  return set ? std::strtoull(set, nullptr, 10) : 60;
}

std::unique_ptr<Policy> policy_of(const std::string& name) {
  if (name == "static sizing") return hold_everything();
  auto loaded = bindings::LuaPolicy::load(std::string(MEMCOORD_POLICIES) + "/" + name + ".lua");
  REQUIRE(loaded);
  return std::move(*loaded);
}

}  // namespace

TEST_CASE("no policy stalls less than the clairvoyant bound, or lacks less memory") {
  SimulationOptions options;
  options.keep_periods = true;
  for (std::uint64_t number = 1; number <= scenario_count(); ++number) {
    const simulated::Scenario scenario = testing::random_scenario(1, number);
    const Score bound = clairvoyant_score(scenario, options.limits);
    for (const char* name : {"static sizing", "adaptive", "shares"}) {
      CAPTURE(number);
      CAPTURE(name);
      options.dry_run = std::string(name) == "static sizing";
      const Score score = simulate(scenario, policy_of(name), options).score;
      CHECK(score.stalled >= bound.stalled);
      CHECK(score.deficit >= bound.deficit);
    }
  }
}
