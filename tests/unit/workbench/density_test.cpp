#include "engine/workbench/density.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>

#include "engine/workbench/jobs.h"
#include "engine/workbench/simulation.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;

namespace {

/// Eight VMs of 1 GiB; one after the other needs 700 MiB for a while, the others 200.
Trace rotating() {
  Trace trace;
  for (int row = 0; row < 16; ++row) trace.times.push_back(row * 300s);
  for (int vm = 0; vm < 8; ++vm) {
    TraceColumn column{"vm" + std::to_string(vm), 1_GiB, {}};
    for (int row = 0; row < 16; ++row) {
      column.used.push_back(row / 2 == vm ? 700_MiB : 200_MiB);
    }
    trace.columns.push_back(std::move(column));
  }
  return trace;
}

DensityOptions options(MemorySize host) {
  DensityOptions result;
  result.host = host;
  result.orders = 3;
  result.footprint = 0s;
  result.interval = 10s;
  return result;
}

PolicyMaker holding() {
  return [] { return Result<std::unique_ptr<Policy>>(hold_everything()); };
}

}  // namespace

TEST_CASE("random orders are permutations, alike for one seed and different for another") {
  const auto order = random_order(100, 7);
  CHECK(std::set<std::size_t>(order.begin(), order.end()).size() == 100);
  CHECK(order == random_order(100, 7));
  CHECK(order != random_order(100, 8));
}

TEST_CASE("domains of a density run start at their first demand, and what is left is shared out") {
  const Trace trace = rotating();
  const auto demand = demand_of(trace, 0s);
  const std::vector<std::size_t> chosen{0, 1};
  const auto scenario = density_scenario(trace, demand, chosen, options(1600_MiB));
  REQUIRE(scenario.domains.size() == 2);
  // 1,400 MiB for needs of 750 and 250: 200 more each.
  CHECK(scenario.domains[0].initial == 950_MiB);
  CHECK(scenario.domains[1].initial == 450_MiB);
  CHECK(scenario.domains[0].maximum == 1_GiB);
  CHECK(scenario.duration == 16 * 300s);
}

TEST_CASE("where nothing is moved, density lies between static sizing and the bound") {
  const auto result = density_of(rotating(), holding(), options(4_GiB));
  REQUIRE(result);
  CHECK(result->available == 8);
  REQUIRE(result->orders.size() == 3);
  for (const DensityOrder& order : result->orders) {
    CHECK(order.static_sizing == 3);
    CHECK(order.bound == 8);
    CHECK(order.vms >= order.static_sizing);
    CHECK(order.vms <= order.bound);
    CHECK(order.score.stalled <= 0.0001);
  }
}

TEST_CASE("a looser limit on stalls never gives less") {
  DensityOptions strict = options(3_GiB);
  strict.stalled = 0;
  DensityOptions loose = options(3_GiB);
  loose.stalled = 0.2;
  const auto a = density_of(rotating(), holding(), strict);
  const auto b = density_of(rotating(), holding(), loose);
  REQUIRE(a);
  REQUIRE(b);
  for (std::size_t i = 0; i < 3; ++i) CHECK(b->orders[i].vms >= a->orders[i].vms);
}

TEST_CASE("a number of domains, or a share of the bound, is judged without a search") {
  DensityOptions fixed = options(4_GiB);
  fixed.vms = 5;
  const auto result = density_of(rotating(), holding(), fixed);
  REQUIRE(result);
  CHECK(result->orders[0].vms == 5);
  CHECK(result->runs == 3);
  DensityOptions filled = options(4_GiB);
  filled.fill = 0.5;
  CHECK(density_of(rotating(), holding(), filled)->orders[0].vms == 4);
}

TEST_CASE("the search does not depend on how many threads there are") {
  DensityOptions one = options(3_GiB);
  one.threads = 1;
  DensityOptions four = options(3_GiB);
  four.threads = 4;
  const auto a = density_of(rotating(), holding(), one);
  const auto b = density_of(rotating(), holding(), four);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(a->orders[i].vms == b->orders[i].vms);
    CHECK(a->orders[i].score == b->orders[i].score);
  }
}

TEST_CASE("a policy that cannot be made ends the search with its error") {
  const PolicyMaker broken = []() -> Result<std::unique_ptr<Policy>> {
    return fail(ErrorCode::invalid_input, "broken.lua:1", "is broken");
  };
  const auto result = density_of(rotating(), broken, options(4_GiB));
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "is broken");
}

TEST_CASE("jobs are done once each, whatever the number of threads") {
  for (const std::size_t threads : {0U, 1U, 3U, 50U}) {
    std::vector<std::atomic<int>> done(20);
    run_jobs(done.size(), threads, [&](std::size_t i) { ++done[i]; });
    CHECK(std::all_of(done.begin(), done.end(), [](const auto& times) { return times == 1; }));
  }
}
