#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include "engine/workbench/scenario_file.h"
#include "tests/workbench/hindsight.h"
#include "tests/workbench/random_scenario.h"
#include "tests/workbench/scenario_text.h"
#include "tests/workbench/smallest_scenario.h"

using namespace memcoord;
using namespace memcoord::testing;
using namespace std::chrono_literals;
using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;
using workbench::Comparison;
using workbench::ComparisonRow;
using workbench::Score;

namespace {

/// FNV-1a (Fowler, Noll, Vo), 64 bits.
std::uint64_t fingerprint(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char one : text) hash = (hash ^ static_cast<unsigned char>(one)) * 0x100000001b3U;
  return hash;
}

Score stalled_for(double share) {
  Score score;
  score.domain_seconds = 3600;
  score.stalled = share;
  return score;
}

/// Rows of policies with a score in each scenario; the last row is the clairvoyant bound.
Comparison compared(const std::vector<std::vector<Score>>& rows) {
  Comparison comparison;
  comparison.scenarios.resize(rows.front().size());
  for (const auto& scores : rows) {
    ComparisonRow& row = comparison.rows.emplace_back();
    row.name = "policy " + std::to_string(comparison.rows.size());
    for (const Score& score : scores) row.cells.push_back({score, "", nullptr});
  }
  comparison.rows.back().kind = ComparisonRow::Kind::clairvoyant_bound;
  return comparison;
}

}  // namespace

TEST_CASE("random scenarios have the same bytes on every machine") {
  std::string all;
  for (std::uint64_t number = 1; number <= 200; ++number) {
    all += scenario_text(random_scenario(1, number));
  }
  // A new value means a new benchmark: measure docs/policies.md again.
  CHECK(fingerprint(all) == 0x1092b630463eb76U);
  CHECK(scenario_text(random_scenario(2, 1)) != scenario_text(random_scenario(1, 1)));
}

TEST_CASE("random scenarios stay within their ranges, and are of every kind") {
  std::set<std::string> kinds;
  for (std::uint64_t number = 1; number <= 100; ++number) {
    const Scenario scenario = random_scenario(1, number);
    CAPTURE(number);
    CHECK(scenario.domains.size() >= 2);
    CHECK(scenario.domains.size() <= 40);
    CHECK(scenario.duration >= 5min);
    CHECK(scenario.duration <= 30min);
    kinds.insert(scenario.summary.substr(0, scenario.summary.find(',')));
  }
  CHECK(kinds.size() == 8);
}

TEST_CASE("a random scenario's text reads as the same scenario") {
  for (std::uint64_t number = 1; number <= 50; ++number) {
    const Scenario scenario = random_scenario(1, number);
    const std::string text = scenario_text(scenario);
    const auto read = workbench::load_scenario_text(text, scenario.name + ".lua");
    REQUIRE(read);
    CHECK(scenario_text(*read) == text);
    REQUIRE(read->domains.size() == scenario.domains.size());
    CHECK(read->domains.back().demand == scenario.domains.back().demand);
    CHECK(read->domains.front().cache == scenario.domains.front().cache);
    CHECK(read->domains.front().settings == scenario.domains.front().settings);
    CHECK(read->host_total == scenario.host_total);
  }
}

TEST_CASE("a policy is clearly behind by stalls of half a percent and a fifth, or by the host") {
  CHECK(is_loss(stalled_for(0.03), stalled_for(0.02)));
  CHECK_FALSE(is_loss(stalled_for(0.012), stalled_for(0.0075)));
  CHECK_FALSE(is_loss(stalled_for(0.115), stalled_for(0.1)));
  CHECK_FALSE(is_loss(stalled_for(0.02), stalled_for(0.03)));
  Score host_lost = stalled_for(0.01);
  host_lost.host_oom = 1;
  CHECK(is_loss(host_lost, stalled_for(0.05)));
  CHECK_FALSE(is_loss(stalled_for(0.05), host_lost));
}

TEST_CASE("policies are judged by their distribution and by the best other one in hindsight") {
  const auto judged = judge(compared({{stalled_for(0.00), stalled_for(0.10), stalled_for(0.02)},
                                      {stalled_for(0.00), stalled_for(0.04), stalled_for(0.05)},
                                      {stalled_for(0.00), stalled_for(0.03), stalled_for(0.00)}}));
  REQUIRE(judged.policies.size() == 2);
  const PolicySummary& first = judged.policies[0];
  CHECK(first.mean == doctest::Approx(0.04));
  CHECK(first.median == doctest::Approx(0.02));
  CHECK(first.high == doctest::Approx(0.10));
  CHECK(first.mean_served == doctest::Approx(0.01));
  CHECK(first.behind == 1);
  CHECK(judged.served == 2);
  CHECK(judged.bound == doctest::Approx(0.01));
  REQUIRE(judged.losses.size() == 2);
  CHECK(judged.losses[0].scenario == 1);
  CHECK(judged.losses[0].better == 1);
  CHECK(judged.passed.empty());
}

TEST_CASE("a host that is lost counts as such, also where the policy stalls less") {
  Score host_lost = stalled_for(0.01);
  host_lost.host_oom = 1;
  const auto judged = judge(compared({{host_lost}, {stalled_for(0.05)}, {stalled_for(0.0)}}));
  CHECK(judged.policies[0].behind == 1);
  CHECK(judged.policies[0].behind_kills == 1);
  CHECK(judged.policies[1].behind == 0);
}

TEST_CASE("a run that stalls less than the bound is named") {
  const auto judged = judge(compared({{stalled_for(0.01)}, {stalled_for(0.02)}}));
  REQUIRE(judged.passed.size() == 1);
  CHECK(judged.passed[0].by == doctest::Approx(0.01));
}

TEST_CASE(
    "moves are futile if a policy moves five times the next one's and another stalls no more") {
  const auto moving = [](double share, double churn) {
    Score score = stalled_for(share);
    score.churn = churn;
    return score;
  };
  const auto futile = [&](const Score& one, const Score& other) {
    return judge(compared({{one}, {other}, {stalled_for(0)}})).policies[0].futile == 1;
  };
  CHECK(futile(moving(0.01, 6000), moving(0.01, 1000)));
  CHECK_FALSE(futile(moving(0.01, 4000), moving(0.01, 1000)));
  CHECK_FALSE(futile(moving(0.01, 6000), moving(0.02, 1000)));
  CHECK_FALSE(futile(moving(0.01, 600), moving(0.01, 100)));
}

TEST_CASE("the smallest scenario keeps only what shows the same") {
  const Scenario large = random_scenario(1, 2);
  REQUIRE(large.domains.size() > 20);
  const auto booted = std::find_if(large.domains.begin(), large.domains.end(), [](const auto& d) {
    return d.start == Duration() && d.demand.points().size() > 2;
  });
  REQUIRE(booted != large.domains.end());
  const std::string needed = booted->name;
  const auto shows = [&](const Scenario& scenario) {
    return scenario.duration >= 60s &&
           std::any_of(scenario.domains.begin(), scenario.domains.end(),
                       [&](const ScenarioDomain& domain) { return domain.name == needed; });
  };
  const Scenario small = smallest_scenario(large, shows, 2000);
  REQUIRE(small.domains.size() == 1);
  CHECK(small.domains[0].name == needed);
  CHECK(small.duration < 120s);
  CHECK(small.domains[0].demand.points().size() <= 1);
  const std::string text = scenario_text(small);
  CHECK(workbench::load_scenario_text(text, "small.lua"));
}

TEST_CASE("a scenario that shows nothing smaller, or has no attempts left, stays as it is") {
  const Scenario large = random_scenario(1, 3);
  const auto never = [](const Scenario&) { return false; };
  CHECK(scenario_text(smallest_scenario(large, never, 1000)) == scenario_text(large));
  const auto always = [](const Scenario&) { return true; };
  CHECK(scenario_text(smallest_scenario(large, always, 0)) == scenario_text(large));
}
