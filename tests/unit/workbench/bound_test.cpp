#include "engine/workbench/bound.h"

#include <doctest/doctest.h>

using namespace memcoord;
using namespace memcoord::workbench;

namespace {
const std::vector<std::size_t> kInOrder{0, 1, 2};
}

TEST_CASE("static sizing stops at the first domain whose provisioned size does not fit") {
  const std::vector sizes{300_MiB, 300_MiB, 300_MiB};
  CHECK(static_sizing(1_GiB, 200_MiB, sizes) == 2);
  CHECK(static_sizing(1100_MiB, 200_MiB, sizes) == 3);
  CHECK(static_sizing(100_MiB, 200_MiB, sizes) == 0);
}

TEST_CASE("the clairvoyant bound counts the kernel's need on top of each demand") {
  const DemandColumns demand{{100_MiB}, {100_MiB}, {100_MiB}};
  CHECK(clairvoyant_bound(650_MiB, 200_MiB, demand, kInOrder, 0) == 3);
  CHECK(clairvoyant_bound(649_MiB, 200_MiB, demand, kInOrder, 0) == 2);
}

TEST_CASE("the clairvoyant bound leaves the largest domain short, so as few as possible") {
  // Together they miss the host in one step of four; leaving out the one large domain is enough.
  const DemandColumns demand{{10_MiB, 10_MiB, 10_MiB, 900_MiB},
                             {10_MiB, 10_MiB, 10_MiB, 100_MiB},
                             {10_MiB, 10_MiB, 10_MiB, 100_MiB}};
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 0) == 0);
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 1.0 / 12) == 3);
  CHECK(clairvoyant_bound(700_MiB, 200_MiB, demand, kInOrder, 1.0 / 13) == 0);
}

namespace {

std::size_t instant(MemorySize host, const DemandColumns& demand, double limit) {
  return instant_allocator(host, {}, demand, std::vector(3, 1_GiB), kInOrder, limit);
}

}  // namespace

TEST_CASE("the instant allocator moves what one frees to who needs it, less the domain's floor") {
  // Each in turn needs 500 MiB more. The others keep their need of 150 MiB and 100 MiB over it.
  const DemandColumns demand{
      {600_MiB, 100_MiB, 100_MiB}, {100_MiB, 600_MiB, 100_MiB}, {100_MiB, 100_MiB, 600_MiB}};
  const MemorySize just_enough = 200_MiB + 650_MiB + 250_MiB + 250_MiB;
  CHECK(instant(just_enough, demand, 0) == 3);
  CHECK(instant(just_enough - 1_MiB, demand, 0) == 2);
  CHECK(clairvoyant_bound(just_enough - 1_MiB, 200_MiB, demand, kInOrder, 0) == 3);
}

TEST_CASE("the instant allocator takes nothing from a domain that is short") {
  // The first holds 650 MiB and wants more than there is; the third cannot have any of it.
  const DemandColumns demand{
      {600_MiB, 990_MiB, 990_MiB}, {10_MiB, 10_MiB, 10_MiB}, {10_MiB, 10_MiB, 400_MiB}};
  const MemorySize host = 200_MiB + 650_MiB + 60_MiB + 60_MiB + 130_MiB;
  CHECK(instant(host, demand, 3.0 / 9) == 3);
  CHECK(instant(host, demand, 2.9 / 9) < 3);
  CHECK(clairvoyant_bound(host, 200_MiB, demand, kInOrder, 2.0 / 9) == 3);
}

TEST_CASE("the instant allocator serves those first who miss least") {
  // The first gives 290 MiB: enough for the two that miss 140, or for the one that misses 280.
  const DemandColumns demand{
      {400_MiB, 10_MiB}, {10_MiB, 290_MiB}, {10_MiB, 150_MiB}, {10_MiB, 150_MiB}};
  const std::vector<std::size_t> order{0, 1, 2, 3};
  const std::vector maximums(4, 1_GiB);
  const MemorySize host = 200_MiB + 450_MiB + 180_MiB;
  CHECK(instant_allocator(host, {}, demand, maximums, order, 1.0 / 8) == 4);
  CHECK(instant_allocator(host, {}, demand, maximums, order, 0.9 / 8) < 4);
}
