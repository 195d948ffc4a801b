#include "engine/core/limits.h"

#include <doctest/doctest.h>

#include <limits>

using namespace memcoord;

TEST_CASE("limits stricter than the built-in ones are accepted") {
  Limits limits;
  limits.domain_floor = 256_MiB;
  limits.host_floor = 2_GiB;
  limits.max_reclaim = 0.1;
  CHECK(Limits::checked(limits) == limits);
  CHECK(Limits::checked({}) == Limits());
}

TEST_CASE(
    "a limit laxer than the built-in one is refused, naming the option and the least allowed") {
  Limits limits;
  limits.domain_floor = 99_MiB;
  CHECK(Limits::checked(limits).error().object == "--domain-floor");
  CHECK(Limits::checked(limits).error().hint == "give 100 MiB or more");
  limits = {};
  limits.host_floor = 199_MiB;
  CHECK(Limits::checked(limits).error().object == "--host-floor");
  limits = {};
  limits.max_reclaim = 0.51;
  CHECK(Limits::checked(limits).error().object == "--max-reclaim");
}

TEST_CASE("limits that make no sense are refused") {
  for (const double share : {0.0, -0.1, std::numeric_limits<double>::quiet_NaN()}) {
    Limits limits;
    limits.max_reclaim = share;
    CHECK(Limits::checked(limits).error().object == "--max-reclaim");
  }
  Limits limits;
  limits.host_memory = MemorySize();
  CHECK(Limits::checked(limits).error().object == "--host-memory");
}

TEST_CASE("an overcommit ratio is a number over 0 and up to 10") {
  for (const double ratio : {0.5, 1.0, 1.5, 10.0}) {
    Limits limits;
    limits.overcommit = ratio;
    CHECK(Limits::checked(limits).has_value());
  }
  for (const double ratio : {0.0, -1.0, 10.5, std::numeric_limits<double>::quiet_NaN()}) {
    Limits limits;
    limits.overcommit = ratio;
    CHECK(Limits::checked(limits).error().object == "--overcommit");
  }
}
