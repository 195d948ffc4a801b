#include "engine/workbench/density.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "engine/workbench/density_hosts.h"
#include "engine/workbench/simulation.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;

namespace {

/// Eight VMs of 1 GiB. Each in turn needs 700 MiB for two rows, the others 200 MiB.
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

TEST_CASE("a random order is a permutation that its seed determines") {
  const auto order = random_order(100, 7);
  CHECK(std::set<std::size_t>(order.begin(), order.end()).size() == 100);
  CHECK(order == random_order(100, 7));
  CHECK(order != random_order(100, 8));
}

TEST_CASE("the domains of a density run start with their first demand and a share of the rest") {
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

TEST_CASE("the density of a policy that moves nothing is between static sizing and the bound") {
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

TEST_CASE("a higher limit on stalls never serves fewer domains") {
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

TEST_CASE("a given number of domains, or share of the bound, is run without a search") {
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

namespace {

/// Six VMs of 1 GiB that all need 900 MiB at the same time, and 100 MiB before and after.
Trace with_a_peak(std::vector<std::chrono::seconds> times) {
  Trace trace;
  trace.times = std::move(times);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    trace.columns.push_back({name, 1_GiB, {100_MiB, 900_MiB, 100_MiB, 100_MiB}});
  }
  return trace;
}

}  // namespace

TEST_CASE("no policy exceeds the bound where the rows of a trace have different lengths") {
  const Trace uneven = with_a_peak({0s, 50'000s, 50'001s, 100'000s});
  DensityOptions judged = options(2_GiB);
  judged.interval = 1h;
  judged.vms = 6;
  // The policy serves all domains, although any allocator leaves some short in one row of four.
  const auto all = density_of(uneven, holding(), judged);
  REQUIRE(all);
  CHECK(all->orders[0].score.stalled <= judged.stalled);
  judged.vms = 0;
  const auto found = density_of(uneven, holding(), judged);
  REQUIRE(found);
  CHECK(found->orders[0].bound == 6);
  CHECK(found->orders[0].instant == 6);
  CHECK(found->orders[0].vms == 6);
}

TEST_CASE("no policy exceeds the bound where demand changes evenly from row to row") {
  // Near its top, the peak exceeds the host's memory for a short time.
  const Trace peak = with_a_peak({0s, 300s, 600s, 900s});
  DensityOptions ramp = options(5600_MiB);
  ramp.shape = simulated::Plan::Shape::ramp;
  ramp.stalled = 0.035;
  ramp.vms = 6;
  const auto all = density_of(peak, holding(), ramp);
  REQUIRE(all);
  CHECK(all->orders[0].score.stalled <= ramp.stalled);
  CHECK(all->orders[0].bound == 6);
}

TEST_CASE("a density run starts at the trace's first row, whatever its time is") {
  const Trace early = with_a_peak({0s, 300s, 600s, 900s});
  const Trace late = with_a_peak({7000s, 7300s, 7600s, 7900s});
  const std::vector<std::size_t> chosen{0, 1};
  const auto scenario_of = [&](const Trace& trace) {
    return density_scenario(trace, demand_of(trace, 0s), chosen, options(4_GiB));
  };
  CHECK(scenario_of(late).duration == 1200s);
  CHECK(scenario_of(late).domains[1].demand == scenario_of(early).domains[1].demand);
}

TEST_CASE("a run serves its domains without kills, without a breach, and with few stalls") {
  Score score;
  score.stalled = 0.01;
  CHECK(is_served(score, 0.01));
  CHECK_FALSE(is_served(score, 0.009));
  const auto with = [&](auto change) {
    Score worse = score;
    change(worse);
    return is_served(worse, 0.01);
  };
  CHECK_FALSE(with([](Score& worse) { worse.guest_oom = 1; }));
  CHECK_FALSE(with([](Score& worse) { worse.host_oom = 1; }));
  CHECK_FALSE(with([](Score& worse) { worse.breach_seconds = 0.1; }));
}

TEST_CASE("a VM smaller than its kernel stalls when it uses memory, and is not killed") {
  Trace trace;
  trace.times = {0s, 300s};
  trace.columns.push_back({"tiny", 40_MiB, {0_MiB, 40_MiB}});
  DensityOptions judged = options(2_GiB);
  judged.vms = 1;
  const auto result = density_of(trace, holding(), judged);
  REQUIRE(result);
  CHECK(result->orders[0].score.stalled == doctest::Approx(0.5));
  CHECK(result->orders[0].score.guest_oom == 0);
}

TEST_CASE("the number of threads does not change a density, of one order or several") {
  for (const std::size_t orders : {1U, 3U}) {
    CAPTURE(orders);
    DensityOptions one = options(3_GiB);
    one.orders = orders;
    one.threads = 1;
    DensityOptions four = one;
    four.threads = 4;
    const auto a = density_of(rotating(), holding(), one);
    const auto b = density_of(rotating(), holding(), four);
    CHECK(a->runs == b->runs);
    for (std::size_t i = 0; i < orders; ++i) {
      CHECK(a->orders[i].vms == b->orders[i].vms);
      CHECK(a->orders[i].score == b->orders[i].score);
    }
  }
}

TEST_CASE(
    "an order is served alike alone, where two numbers are tried at a time, and among others") {
  DensityOptions alone = options(3_GiB);
  alone.orders = 1;
  const auto one = density_of(rotating(), holding(), alone);
  const auto three = density_of(rotating(), holding(), options(3_GiB));
  CHECK(one->orders[0].vms == three->orders[0].vms);
  CHECK(one->orders[0].score == three->orders[0].score);
}

TEST_CASE("a density search says how far it is: never less than before, and all at its end") {
  std::vector<double> shares;
  std::size_t cells = 0;
  const auto result =
      density_of(rotating(), holding(), options(3_GiB), [&](std::size_t done, double share) {
        CHECK(done >= cells);
        cells = done;
        shares.push_back(share);
      });
  REQUIRE(result);
  CHECK(std::is_sorted(shares.begin(), shares.end()));
  CHECK(shares.size() > 100);
  CHECK(shares.front() < 0.1);
  CHECK(shares.back() == doctest::Approx(1));
  CHECK(cells == 3);
}

TEST_CASE("a policy that cannot be made ends the density search with its error") {
  const PolicyMaker broken = []() -> Result<std::unique_ptr<Policy>> {
    return fail(ErrorCode::invalid_input, "broken.lua:1", "is broken");
  };
  const auto result = density_of(rotating(), broken, options(4_GiB));
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "is broken");
}

TEST_CASE("each domain goes to the host with the least provisioned memory, in their order") {
  Trace trace = rotating();
  trace.columns[0].provisioned = 3_GiB;
  trace.columns[5].provisioned = 2_GiB;
  const std::vector<std::size_t> order{0, 1, 2, 5, 3, 4, 6, 7};
  const auto lists = deal(trace, order, 3);
  CHECK(lists == std::vector<std::vector<std::size_t>>{{0, 6}, {1, 5, 7}, {2, 3, 4}});
  // What follows does not change where a domain goes.
  const auto fewer = deal(trace, std::span(order).first(5), 3);
  CHECK(fewer == std::vector<std::vector<std::size_t>>{{0}, {1, 5}, {2, 3}});
}

TEST_CASE("several hosts serve what each of them serves of its own domains") {
  const Trace trace = rotating();
  auto two = options(1600_MiB);
  two.hosts = 2;
  const auto result = density_of(trace, holding(), two);
  REQUIRE(result);
  REQUIRE(result->cells.size() == 6);
  REQUIRE(result->orders.size() == 3);
  const auto one = density_of(trace, holding(), options(1600_MiB));
  REQUIRE(one);
  for (std::size_t i = 0; i < 3; ++i) {
    const DensityCell& first = result->cells[2 * i];
    const DensityCell& second = result->cells[2 * i + 1];
    CHECK(first.order == i);
    CHECK(first.host == 0);
    CHECK(second.host == 1);
    CHECK(result->orders[i].vms == first.figures.vms + second.figures.vms);
    // All domains are equally large, so that two hosts fit twice as many.
    CHECK(result->orders[i].static_sizing == 2 * one->orders[i].static_sizing);
    CHECK(result->orders[i].vms > one->orders[i].vms);
  }
}

TEST_CASE("a host without domains serves none, and the others serve theirs") {
  Trace trace = rotating();
  trace.columns.resize(2);
  auto four = options(4_GiB);
  four.hosts = 4;
  const auto result = density_of(trace, holding(), four);
  REQUIRE(result);
  for (const DensityOrder& order : result->orders) CHECK(order.vms == 2);
  CHECK(result->cells[3].figures.vms == 0);
  CHECK(result->cells[3].figures.bound == 0);
}

TEST_CASE("a given number of domains is that of all hosts together") {
  auto given = options(1600_MiB);
  given.hosts = 3;
  given.vms = 4;
  const auto result = density_of(rotating(), holding(), given);
  REQUIRE(result);
  for (const DensityOrder& order : result->orders) CHECK(order.vms == 4);
  CHECK(result->cells[0].figures.vms == 2);
  CHECK(result->cells[1].figures.vms == 1);
}

TEST_CASE("the cells of all shards are those of the whole search") {
  auto whole = options(1600_MiB);
  whole.hosts = 2;
  const auto all = density_of(rotating(), holding(), whole).value();
  std::size_t found = 0;
  for (std::size_t index = 1; index <= 4; ++index) {
    auto part = whole;
    part.shard = {index, 4};
    const auto result = density_of(rotating(), holding(), part).value();
    for (std::size_t i = 0; i < result.cells.size(); ++i, ++found) {
      const DensityCell& same = all.cells[index - 1 + 4 * i];
      CHECK(result.cells[i].order == same.order);
      CHECK(result.cells[i].host == same.host);
      CHECK(result.cells[i].figures.vms == same.figures.vms);
      CHECK(result.cells[i].figures.score == same.figures.score);
    }
  }
  CHECK(found == all.cells.size());
}

TEST_CASE("figures of several hosts are sums, and means weighted by the domains' time") {
  DensityOrder one;
  one.vms = 2;
  one.score = {.domain_seconds = 300, .stalled = 0.1, .guest_oom = 1, .churn = 4};
  DensityOrder other;
  other.vms = 1;
  other.score = {.domain_seconds = 100, .stalled = 0.5, .guest_oom = 2, .churn = 8};
  const DensityOrder all = together(std::vector{one, other, DensityOrder()});
  CHECK(all.vms == 3);
  CHECK(all.score.domain_seconds == 400);
  CHECK(all.score.stalled == doctest::Approx(0.2));
  CHECK(all.score.guest_oom == 3);
  CHECK(all.score.churn == doctest::Approx(5));
}
