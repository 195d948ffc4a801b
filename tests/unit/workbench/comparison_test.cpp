#include "engine/workbench/comparison.h"

#include <doctest/doctest.h>

#include <mutex>
#include <set>

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;

namespace {

simulated::Scenario scenario(const std::string& name, MemorySize host) {
  simulated::Scenario result;
  result.name = name;
  result.host_total = host;
  result.duration = 20s;
  simulated::ScenarioDomain domain;
  domain.name = "web";
  domain.demand = simulated::Plan({{0s, 100_MiB}}, simulated::Plan::Shape::ramp);
  result.domains.push_back(domain);
  return result;
}

ComparedPolicy holding(const std::string& label) {
  return {label, [] { return Result<std::unique_ptr<Policy>>(hold_everything()); }};
}

}  // namespace

TEST_CASE("a comparison has a cell for each policy and each baseline on each scenario") {
  const std::vector scenarios{scenario("small", 2_GiB), scenario("large", 4_GiB)};
  const Comparison result = compare({holding("a"), holding("b")}, scenarios, {});
  REQUIRE(result.rows.size() == 4);
  CHECK(result.rows[0].name == "a");
  CHECK(result.rows[1].name == "b");
  CHECK(result.rows[2].kind == ComparisonRow::Kind::static_sizing);
  CHECK(result.rows[3].kind == ComparisonRow::Kind::clairvoyant_bound);
  REQUIRE(result.scenarios.size() == 2);
  CHECK(result.scenarios[1].host_total == 4_GiB);
  for (const ComparisonRow& row : result.rows) {
    REQUIRE(row.cells.size() == 2);
    for (const ComparisonCell& cell : row.cells) CHECK(cell.score);
  }
  // A policy that proposes nothing is static sizing.
  CHECK(result.rows[0].cells[0].score == result.rows[2].cells[0].score);
}

TEST_CASE("a comparison keeps records on request, for policies and static sizing") {
  const std::vector scenarios{scenario("small", 2_GiB)};
  ComparingOptions options;
  options.keep_records = true;
  const Comparison result = compare({holding("a")}, scenarios, options);
  REQUIRE(result.rows[0].cells[0].record);
  CHECK(result.rows[0].cells[0].record->domains.size() == 1);
  CHECK_FALSE(compare({holding("a")}, scenarios, {}).rows[0].cells[0].record);
}

TEST_CASE("a policy that cannot be made has no scores, and its cells say why") {
  const ComparedPolicy broken{"broken", []() -> Result<std::unique_ptr<Policy>> {
                                return fail(ErrorCode::invalid_input, "x.lua:1", "is broken");
                              }};
  const Comparison result = compare({broken}, {scenario("small", 2_GiB)}, {});
  CHECK_FALSE(result.rows[0].cells[0].score);
  CHECK(result.rows[0].cells[0].problem.find("is broken") != std::string::npos);
  CHECK(result.rows[1].cells[0].score);
}

TEST_CASE("a comparison's progress ends at 1") {
  std::mutex mutex;
  double most = 0;
  compare({holding("a")}, {scenario("small", 2_GiB)}, {}, [&](double share, const std::string&) {
    const std::lock_guard lock(mutex);
    most = std::max(most, share);
  });
  CHECK(most == doctest::Approx(1.0));
}
