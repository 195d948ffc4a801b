#include "engine/workbench/comparison.h"

#include <atomic>
#include <utility>

#include "engine/workbench/clairvoyant.h"

namespace memcoord::workbench {
namespace {

using simulated::Scenario;

std::string problem_of(const SimulationResult& result) {
  if (!result.first_policy_error) return {};
  return result.first_policy_error->text() + " (no answer in " +
         std::to_string(result.policy_errors) + " of " + std::to_string(result.ticks) + " ticks)";
}

ComparisonCell run_cell(const ComparedPolicy& policy, const Scenario& scenario,
                        const ComparingOptions& options) {
  ComparisonCell cell;
  auto made = policy.make();
  if (!made) {
    cell.problem = made.error().text();
    return cell;
  }
  SimulationWatch watch;
  Recorder recorder(scenario);
  auto record = std::make_shared<RunRecord>();
  if (options.keep_records) {
    watch.tick = [&](const Tick& tick, simulated::SimulatedHost& host) {
      recorder.take(tick, host);
    };
    watch.end = [&](simulated::SimulatedHost& host) {
      *record = recorder.finish(host, options.simulation.interval);
    };
  }
  const SimulationResult result = simulate(scenario, *std::move(made), options.simulation, watch);
  cell.score = result.score;
  cell.problem = problem_of(result);
  if (options.keep_records) cell.record = std::move(record);
  return cell;
}

/// The scenarios, and a row with empty cells for each policy and baseline.
Comparison empty_comparison(const std::vector<ComparedPolicy>& policies,
                            const std::vector<Scenario>& scenarios,
                            const SimulationOptions& options) {
  using Kind = ComparisonRow::Kind;
  Comparison comparison;
  comparison.interval = options.interval;
  comparison.headroom = options.limits.headroom;
  comparison.units = options.limits.units;
  for (const Scenario& scenario : scenarios) {
    comparison.scenarios.push_back({scenario.name, scenario.summary, scenario.host_total,
                                    scenario.domains.size(), scenario.duration});
  }
  for (const ComparedPolicy& policy : policies) {
    comparison.rows.push_back({Kind::policy, policy.label, {}});
  }
  comparison.rows.push_back({Kind::static_sizing, "static sizing", {}});
  comparison.rows.push_back({Kind::clairvoyant_bound, "clairvoyant bound", {}});
  for (ComparisonRow& row : comparison.rows) row.cells.resize(scenarios.size());
  return comparison;
}

}  // namespace

Comparison compare(const std::vector<ComparedPolicy>& policies,
                   const std::vector<Scenario>& scenarios, const ComparingOptions& options,
                   const std::function<void(double, const std::string&)>& progress) {
  using Kind = ComparisonRow::Kind;
  Comparison comparison = empty_comparison(policies, scenarios, options.simulation);
  const ComparedPolicy holding{
      "static sizing", []() -> Result<std::unique_ptr<Policy>> { return hold_everything(); }};
  const auto cells = options.shard.cells(comparison.rows.size() * scenarios.size());
  std::atomic<std::size_t> done = 0;
  run_jobs(cells.size(), options.threads, [&](std::size_t job) {
    const std::size_t row = cells[job] % comparison.rows.size();
    const std::size_t column = cells[job] / comparison.rows.size();
    const Scenario& scenario = scenarios[column];
    ComparisonRow& compared = comparison.rows[row];
    ComparisonCell& cell = compared.cells[column];
    if (compared.kind == Kind::clairvoyant_bound) {
      cell.score = clairvoyant_score(scenario, options.simulation.limits);
    } else {
      ComparingOptions own = options;
      own.simulation.dry_run = compared.kind == Kind::static_sizing;
      cell = run_cell(row < policies.size() ? policies[row] : holding, scenario, own);
    }
    const double share = static_cast<double>(++done) / static_cast<double>(cells.size());
    if (progress) progress(share, compared.name + " on " + scenario.name);
  });
  return comparison;
}

}  // namespace memcoord::workbench
