#include "engine/workbench/bound.h"

#include <doctest/doctest.h>

#include <chrono>
#include <utility>

using namespace memcoord;
using namespace memcoord::workbench;

namespace {

const std::vector<std::size_t> kInOrder{0, 1, 2};

/// Rows that all last five minutes.
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

TEST_CASE("the clairvoyant bound leaves the largest domain short, so as few as possible") {
  // Together they miss the host in one step of four; leaving out the one large domain is enough.
  const auto demand = evenly({{10_MiB, 10_MiB, 10_MiB, 900_MiB},
                              {10_MiB, 10_MiB, 10_MiB, 100_MiB},
                              {10_MiB, 10_MiB, 10_MiB, 100_MiB}});
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 0) == 0);
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 1.0 / 12) == 3);
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 1.0 / 13) == 0);
}

namespace {

std::size_t instant(MemorySize host, const DemandOverTime& demand, double limit) {
  return instant_allocator(host, {}, demand, std::vector(3, 1_GiB), kInOrder, limit);
}

}  // namespace

TEST_CASE("the instant allocator moves what one frees to who needs it, less the domain's floor") {
  // Each in turn needs 500 MiB more. The others keep their need of 150 MiB and 100 MiB over it.
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

TEST_CASE("the instant allocator serves those first who miss least") {
  // The first gives 290 MiB: enough for the two that miss 140, or for the one that misses 280.
  const auto demand =
      evenly({{400_MiB, 10_MiB}, {10_MiB, 290_MiB}, {10_MiB, 150_MiB}, {10_MiB, 150_MiB}});
  const std::vector<std::size_t> order{0, 1, 2, 3};
  const std::vector maximums(4, 1_GiB);
  const MemorySize host = 200_MiB + 450_MiB + 180_MiB;
  CHECK(instant_allocator(host, {}, demand, maximums, order, 1.0 / 8) == 4);
  CHECK(instant_allocator(host, {}, demand, maximums, order, 0.9 / 8) < 4);
}

namespace {

/// The demand of three domains that together fit into a host of 950 MiB, except in the second row.
DemandOverTime crowded_second_row(std::vector<std::chrono::seconds> holds,
                                  simulated::Plan::Shape shape = simulated::Plan::Shape::step) {
  const std::vector one{100_MiB, 300_MiB, 100_MiB};
  return {{one, one, one}, std::move(holds), shape};
}

}  // namespace

TEST_CASE("a row counts for as long as it lasts, with the bound and with the instant allocator") {
  using namespace std::chrono_literals;
  // One of three domains is short in the second row.
  const auto briefly = crowded_second_row({899s, 1s, 100s});
  const auto long_time = crowded_second_row({1s, 899s, 100s});
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, briefly, kInOrder, 1.1 / 3000) == 3);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, briefly, kInOrder, 0.9 / 3000) == 2);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, long_time, kInOrder, 899.5 / 3000) == 3);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, long_time, kInOrder, 898.5 / 3000) == 2);
  // No domain has more than its need and the floor to give, so that all three may be short.
  CHECK(instant(950_MiB, briefly, 3.1 / 3000) == 3);
  CHECK(instant(950_MiB, long_time, 500.0 / 3000) < 3);
}

TEST_CASE("where demand goes evenly from row to row, the bound counts the time above the host") {
  using namespace std::chrono_literals;
  // Together 450 MiB, then 1,050, then 450: over 750 for the upper half of the way up and down, if
  // none is left out; with one left out, 700 at most.
  const auto ramp = crowded_second_row({200s, 100s, 100s}, simulated::Plan::Shape::ramp);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, ramp, kInOrder, 150.5 / 1200) == 3);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, ramp, kInOrder, 149.5 / 1200) == 2);
}

TEST_CASE("the last row of an even demand lasts to the end") {
  using namespace std::chrono_literals;
  const std::vector one{100_MiB, 300_MiB};
  const DemandOverTime rising{{one, one, one}, {100s, 100s}, simulated::Plan::Shape::ramp};
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, rising, kInOrder, 150.5 / 600) == 3);
  CHECK(clairvoyant_bound(950_MiB, 200_MiB, rising, kInOrder, 149.5 / 600) == 2);
}
