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
