// Compares the simulated host with curves of real guests, which scripts/measure/calibration
// recorded.

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/calibration/curve.h"

using namespace memcoord;
using namespace memcoord::calibration;

namespace {

Curve recorded(const std::string& name) {
  const auto curve = read_curve(std::filesystem::path(MEMCOORD_CURVES) / (name + ".csv"));
  if (!curve) FAIL(curve.error().text());
  return *curve;
}

void check_mean_differences(const std::string& name) {
  CAPTURE(name);
  const Curve real = recorded(name);
  REQUIRE(real.points.size() > 60);
  const Agreement agreement = compare(real, simulate(real));
  CHECK(agreement.actual <= 0.05);
  CHECK(agreement.unused <= 0.05);
  CHECK(agreement.usable <= 0.05);
}

}  // namespace

TEST_CASE(
    "the simulation of a guest whose balloon moves in steps agrees within 5 % of its maximum") {
  check_mean_differences("balloon-steps");
}

TEST_CASE("the simulation of page cache that grows, shrinks and grows again agrees within 5 %") {
  check_mean_differences("page-cache");
}

TEST_CASE("the simulation of a guest that swaps agrees within 5 %") {
  check_mean_differences("swap");
}

TEST_CASE("the simulation of a guest without swap whose workload is killed agrees within 5 %") {
  check_mean_differences("killed");
}

TEST_CASE("a simulated workload is killed within a statistics period of the real one") {
  const Curve real = recorded("killed");
  const Curve simulated = simulate(real);
  REQUIRE(real.killed_at.has_value());
  REQUIRE(simulated.killed_at.has_value());
  CHECK(std::abs(*real.killed_at - *simulated.killed_at) <= 1);
}

TEST_CASE("a simulated guest begins to swap within a statistics period of the real one") {
  const Curve real = recorded("swap");
  const Agreement agreement = compare(real, simulate(real));
  REQUIRE(agreement.real_swaps_at.has_value());
  REQUIRE(agreement.simulated_swaps_at.has_value());
  CHECK(std::abs(*agreement.real_swaps_at - *agreement.simulated_swaps_at) <= 1);
}

TEST_CASE("a curve that was written is read back unchanged") {
  const Curve real = recorded("killed");
  std::ostringstream out;
  write_curve(real, out);
  std::ifstream in(std::filesystem::path(MEMCOORD_CURVES) / "killed.csv");
  std::ostringstream kept;
  kept << in.rdbuf();
  CHECK(out.str() == kept.str());
}
