// Hosts and guests as people run them (tests/scenarios): what the default policy and the engine
// make of each.

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"

using memcoord::observers::Json;
using memcoord::testing::json_of;
using memcoord::testing::run_memcoord;

namespace {

std::string scenario_of(const std::string& name) {
  return MEMCOORD_TEST_SCENARIOS "/" + name + ".lua";
}

Json simulated(const std::string& name, const std::string& policy, bool keep_periods = false) {
  std::vector<std::string> words{"simulate", "-p", policy, "-S", scenario_of(name), "--json"};
  if (keep_periods) words.emplace_back("--keep-periods");
  return json_of(run_memcoord(words));
}

void check_nobody_is_lost(const Json& run) {
  CHECK(run.at("oom") == 0);
  CHECK(run.at("host_oom") == 0);
  CHECK(run.at("breach_s").number() <= 2);
}

/// What memcoord does not move at all loses: the scenario asks something of it.
double lost_by_static_sizing(const std::string& name) {
  const Json rows =
      json_of(run_memcoord({"compare", "-p", "adaptive", "-S", scenario_of(name), "--json"}));
  for (const Json& row : rows.items()) {
    if (row.at("policy") == "static sizing") return row.at("oom").number();
  }
  return -1;
}

}  // namespace

TEST_CASE("by default no workload is lost on any host as people run them") {
  std::size_t scenarios = 0;
  for (const auto& file : std::filesystem::directory_iterator(MEMCOORD_TEST_SCENARIOS)) {
    const std::string name = file.path().stem().string();
    CAPTURE(name);
    check_nobody_is_lost(simulated(name, "adaptive"));
    ++scenarios;
  }
  CHECK(scenarios >= 9);
  for (const char* name : {"guest-page-cache", "host-page-cache", "big-guests"}) {
    CAPTURE(name);
    const auto run = run_memcoord({"simulate", "-S", name, "--json"});
    check_nobody_is_lost(json_of(run));
  }
}

TEST_CASE(
    "guests that report once in 10 or 60 s are served as others are, unless periods are kept") {
  for (const char* name : {"period-10", "period-60"}) {
    CAPTURE(name);
    check_nobody_is_lost(simulated(name, "adaptive"));
    // Kept, they cost workloads although memory is moved.
    const Json kept = simulated(name, "adaptive", true);
    CHECK(kept.at("oom").number() > 0);
    CHECK(kept.at("churn_mib_h").number() > 0);
    CHECK(lost_by_static_sizing(name) > 0);
  }
}

TEST_CASE("counters that are garbage or fall keep no guest from being served") {
  check_nobody_is_lost(simulated("windows-counters", "adaptive"));
  CHECK(lost_by_static_sizing("windows-counters") > 0);
}

TEST_CASE("a guest that does not follow keeps no other from being served") {
  check_nobody_is_lost(simulated("stuck-guest", "adaptive"));
  CHECK(lost_by_static_sizing("stuck-guest") > 0);
}

TEST_CASE("guests of 64 KiB pages are served as others are") {
  check_nobody_is_lost(simulated("large-pages", "adaptive"));
  CHECK(lost_by_static_sizing("large-pages") > 0);
}

TEST_CASE("whatever the policy, a guest that is started does not take the host with it") {
  for (const char* policy : {"adaptive", "mom", "proportional", "shares"}) {
    for (const char* name : {"new-guest", "new-guests"}) {
      CAPTURE(policy);
      CAPTURE(name);
      const Json run = simulated(name, policy);
      CHECK(run.at("host_oom") == 0);
      CHECK(run.at("breach_s").number() <= 2);
    }
  }
}

TEST_CASE("a host that swaps while it takes memory itself is brought back over its floor at once") {
  for (const char* policy : {"adaptive", "proportional"}) {
    CAPTURE(policy);
    const Json run = simulated("host-swaps", policy);
    CHECK(run.at("host_oom") == 0);
    CHECK(run.at("breach_s").number() <= 2);
  }
}
