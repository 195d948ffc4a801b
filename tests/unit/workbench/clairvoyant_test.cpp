#include "engine/workbench/clairvoyant.h"

#include <doctest/doctest.h>

#include <chrono>
#include <utility>

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;
using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;

namespace {

const std::vector<std::size_t> kInOrder{0, 1, 2};

/// Demand whose rows last five minutes each.
DemandOverTime evenly(DemandColumns columns) {
  const std::vector holds(columns.front().size(), std::chrono::seconds(300));
  return {std::move(columns), holds};
}

}  // namespace

TEST_CASE("static sizing stops at the first domain whose provisioned size does not fit") {
  const std::vector sizes{300_MiB, 300_MiB, 300_MiB};
  CHECK(static_sizing(1_GiB, 200_MiB, sizes) == 2);
  CHECK(static_sizing(1100_MiB, 200_MiB, sizes) == 3);
  CHECK(static_sizing(100_MiB, 200_MiB, sizes) == 0);
}

TEST_CASE("the clairvoyant bound counts the kernel's need on top of each demand") {
  const auto demand = evenly({{100_MiB}, {100_MiB}, {100_MiB}});
  CHECK(clairvoyant_bound(650_MiB, 200_MiB, demand, kInOrder, 0) == 3);
  CHECK(clairvoyant_bound(649_MiB, 200_MiB, demand, kInOrder, 0) == 2);
}

TEST_CASE("the clairvoyant bound leaves as few domains short as possible, the largest first") {
  // In the last of four rows the host has too little; it is enough to leave out the one large
  // domain.
  const auto demand = evenly({{10_MiB, 10_MiB, 10_MiB, 900_MiB},
                              {10_MiB, 10_MiB, 10_MiB, 100_MiB},
                              {10_MiB, 10_MiB, 10_MiB, 100_MiB}});
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 0) == 0);
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 1.0 / 12) == 3);
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 1.0 / 13) == 0);
}

TEST_CASE("what the clairvoyant allocator leaves short is known from each row to the end") {
  // In the first and the last of four rows one of three domains has to be left out.
  const auto demand = evenly({{900_MiB, 10_MiB, 10_MiB, 900_MiB},
                              {100_MiB, 10_MiB, 10_MiB, 100_MiB},
                              {100_MiB, 10_MiB, 10_MiB, 100_MiB}});
  CHECK(clairvoyant_short_from(700_MiB, 200_MiB, demand, kInOrder) ==
        std::vector<double>{600, 300, 300, 300, 0});
  CHECK(clairvoyant_short_from(2_GiB, 200_MiB, demand, kInOrder) == std::vector<double>(5));
}

namespace {

std::size_t instant(MemorySize host, const DemandOverTime& demand, double limit) {
  return instant_allocator(host, {}, demand, std::vector(3, 1_GiB), kInOrder, limit);
}

}  // namespace

TEST_CASE("the instant allocator moves what a domain frees above its floor to the one in need") {
  // Each domain in turn needs 500 MiB more. The others keep their need of 150 MiB, and 100 MiB
  // more.
  const auto demand = evenly(
      {{600_MiB, 100_MiB, 100_MiB}, {100_MiB, 600_MiB, 100_MiB}, {100_MiB, 100_MiB, 600_MiB}});
  const MemorySize just_enough = 200_MiB + 650_MiB + 250_MiB + 250_MiB;
  CHECK(instant(just_enough, demand, 0) == 3);
  CHECK(instant(just_enough - 1_MiB, demand, 0) == 2);
  CHECK(clairvoyant_bound(just_enough - 1_MiB, 200_MiB, demand, kInOrder, 0) == 3);
}

TEST_CASE("the instant allocator takes nothing from a domain that is short") {
  // The first holds 650 MiB and wants more than there is; the third cannot have any of it.
  const auto demand =
      evenly({{600_MiB, 990_MiB, 990_MiB}, {10_MiB, 10_MiB, 10_MiB}, {10_MiB, 10_MiB, 400_MiB}});
  const MemorySize host = 200_MiB + 650_MiB + 60_MiB + 60_MiB + 130_MiB;
  CHECK(instant(host, demand, 3.0 / 9) == 3);
  CHECK(instant(host, demand, 2.9 / 9) < 3);
  CHECK(clairvoyant_bound(host, 200_MiB, demand, kInOrder, 2.0 / 9) == 3);
}

TEST_CASE("the instant allocator serves the smallest lacks first") {
  // The first releases 290 MiB: enough for the two that lack 140, or for the one that lacks 280.
  const auto demand =
      evenly({{400_MiB, 10_MiB}, {10_MiB, 290_MiB}, {10_MiB, 150_MiB}, {10_MiB, 150_MiB}});
  const std::vector<std::size_t> order{0, 1, 2, 3};
  const std::vector maximums(4, 1_GiB);
  const MemorySize host = 200_MiB + 450_MiB + 180_MiB;
  CHECK(instant_allocator(host, {}, demand, maximums, order, 1.0 / 8) == 4);
  CHECK(instant_allocator(host, {}, demand, maximums, order, 0.9 / 8) < 4);
}

namespace {

/// Three domains that fit into a host of 950 MiB except in the second row.
DemandOverTime crowded_second_row(std::vector<std::chrono::seconds> holds,
                                  Plan::Shape shape = Plan::Shape::step) {
  const std::vector one{100_MiB, 300_MiB, 100_MiB};
  return {{one, one, one}, std::move(holds), shape};
}

}  // namespace

TEST_CASE("the bound and the instant allocator count a row for as long as it lasts") {
  // One of three domains is short in the second row.
  const auto briefly = crowded_second_row({899s, 1s, 100s});
  const auto long_time = crowded_second_row({1s, 899s, 100s});
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, briefly, kInOrder, 1.1 / 3000) == 3);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, briefly, kInOrder, 0.9 / 3000) == 2);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, long_time, kInOrder, 899.5 / 3000) == 3);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, long_time, kInOrder, 898.5 / 3000) == 2);
  // No domain has more than its need and the floor, so all three may be short.
  CHECK(instant(950_MiB, briefly, 3.1 / 3000) == 3);
  CHECK(instant(950_MiB, long_time, 500.0 / 3000) < 3);
}

TEST_CASE("where demand changes evenly, the bound counts the time in which needs exceed the host") {
  // Together 450 MiB, then 1,050, then 450. Half of that time it exceeds 750 MiB; without one of
  // the domains it reaches 700 MiB at most.
  const auto ramp = crowded_second_row({200s, 100s, 100s}, Plan::Shape::ramp);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, ramp, kInOrder, 150.5 / 1200) == 3);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, ramp, kInOrder, 149.5 / 1200) == 2);
}

TEST_CASE("the last row of an evenly changing demand holds to the end") {
  const std::vector one{100_MiB, 300_MiB};
  const DemandOverTime rising{{one, one, one}, {100s, 100s}, Plan::Shape::ramp};
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, rising, kInOrder, 150.5 / 600) == 3);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, rising, kInOrder, 149.5 / 600) == 2);
}

namespace {

/// Two guests: one needs little, one needs 720 MiB more from second 20 to second 50.
Scenario one_needs_more() {
  constexpr auto kStep = Plan::Shape::step;
  Scenario scenario;
  scenario.host_total = 4_GiB;
  scenario.host_base = 200_MiB;
  scenario.duration = 60s;
  for (const auto& demand : {Plan({{0s, 100_MiB}}, kStep),
                             Plan({{0s, 100_MiB}, {20s, 820_MiB}, {50s, 100_MiB}}, kStep)}) {
    ScenarioDomain domain;
    domain.maximum = 2_GiB;
    domain.demand = demand;
    scenario.domains.push_back(domain);
  }
  return scenario;
}

}  // namespace

TEST_CASE("the clairvoyant allocator serves all domains whose needs fit, and grants no more") {
  const Score score = clairvoyant_score(one_needs_more(), Limits());
  CHECK(score.stalled == 0);
  CHECK(score.deficit == 0);
  CHECK(score.overhead == 0);
}

TEST_CASE("where needs do not fit, the clairvoyant allocator leaves only the largest one short") {
  Scenario scenario = one_needs_more();
  // 226 + 946 + two overheads of 30 MiB; 100 MiB too little for the 30 s.
  scenario.host_total = 200_MiB + 200_MiB + 1232_MiB - 100_MiB;
  const Score score = clairvoyant_score(scenario, Limits());
  CHECK(score.stalled == doctest::Approx(30.0 / 120.0));
  CHECK(score.deficit == doctest::Approx(100.0 / 1024.0 * 30.0 / 3600.0));
}

TEST_CASE("the clairvoyant allocator counts a last second that the scenario cuts short") {
  Scenario scenario = one_needs_more();
  scenario.duration = 20500ms;
  scenario.host_total = 1100_MiB;
  const Score score = clairvoyant_score(scenario, {});
  CHECK(score.domain_seconds == doctest::Approx(2 * 20.5));
  CHECK(score.stalled == doctest::Approx(0.5 / 41));
}

namespace {

/// Two guests of 1 GiB each on a host of 1,600 MiB. The second starts at 10 s, with all of its
/// memory.
Scenario started_with_too_much(MemorySize demand) {
  Scenario scenario;
  scenario.host_total = 1600_MiB;
  scenario.host_base = 0_MiB;
  scenario.duration = 30s;
  for (const Duration start : {0s, 10s}) {
    ScenarioDomain domain;
    domain.name = start == 0s ? "a" : "b";
    domain.maximum = domain.initial = 1_GiB;
    domain.start = start;
    domain.demand = Plan({{0s, 100_MiB}, {20s, demand}}, Plan::Shape::step);
    scenario.domains.push_back(domain);
  }
  return scenario;
}

double stalled_without_moves(const Scenario& scenario) {
  SimulationOptions options;
  options.dry_run = true;
  return simulate(scenario, hold_everything(), options).score.stalled;
}

}  // namespace

TEST_CASE("a guest that starts with memory which the host lacks may keep it in the bound") {
  // Both need 686 MiB, which the guard would not grant: 1,432 with their QEMUs' own part, and the
  // host has 1,400 above its floor.
  const Scenario scenario = started_with_too_much(560_MiB);
  CHECK(stalled_without_moves(scenario) == 0);
  CHECK(clairvoyant_score(scenario, {}).stalled == 0);
}

TEST_CASE("the bound leaves a guest short whose memory the host does not have") {
  // Both touch 832 MiB within a second, and their QEMUs 60.
  const Scenario scenario = started_with_too_much(750_MiB);
  const double bound = clairvoyant_score(scenario, {}).stalled;
  CHECK(bound == doctest::Approx(9.0 / 50).epsilon(0.02));
  CHECK(bound <= stalled_without_moves(scenario));
}

TEST_CASE("the clairvoyant bound takes each second's least needs") {
  Scenario scenario = one_needs_more();
  scenario.host_total = 1100_MiB;
  scenario.domains[1].demand =
      Plan({{0s, 100_MiB}, {20s, 820_MiB}, {24s, 100_MiB}}, Plan::Shape::ramp);
  scenario.domains[1].initial = 2_GiB;
  scenario.domains[0].initial = 226_MiB;
  CHECK(clairvoyant_score(scenario, {}).stalled > 0);
  CHECK(clairvoyant_score(scenario, {}).stalled <= stalled_without_moves(scenario));
}
