// memcoord compare: policies by scenarios, beside static sizing and the clairvoyant allocator.

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <sstream>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/sweep.h"
#include "engine/cli/terminal.h"
#include "engine/cli/workbench_commands.h"
#include "engine/files/atomic_file.h"
#include "engine/files/csv.h"
#include "engine/observers/amounts.h"
#include "engine/observers/json.h"
#include "engine/workbench/comparison.h"
#include "engine/workbench/report/report.h"

namespace memcoord::cli {
namespace {

using namespace workbench;
using observers::Json;

struct CompareOptions {
  WorkbenchOptions workbench;
  std::vector<std::string> policies;
  std::vector<std::string> scenarios;
  RecordedDemandOptions demand;
  std::string report;
  bool json = false;
  SweepOptions sweep;
  ColorChoice color = ColorChoice::automatic;
};

/// The names that the user gave, or all bundled ones. Errors: not_found if there are none;
/// invalid_input for names that commas join.
Result<std::vector<std::string>> names_or_bundled(const std::vector<std::string>& given,
                                                  BundledKind kind) {
  for (const std::string& name : given) {
    const bool several = name.find(',') != std::string::npos;
    if (!several || name.find_first_of("=/") != std::string::npos) continue;
    std::string apart = name;
    std::replace(apart.begin(), apart.end(), ',', ' ');
    return fail(ErrorCode::invalid_input, name, "is several names in one word",
                "separate them with blanks: " + apart);
  }
  if (!given.empty()) return given;
  return BundledFiles(kind, data_directories()).names();
}

Result<std::vector<ComparedPolicy>> policies_of(const CompareOptions& options,
                                                const PolicyLoader& loader, SweepId& id) {
  std::vector<ComparedPolicy> policies;
  const auto names = names_or_bundled(options.policies, BundledKind::policy);
  if (!names) return fail(names.error());
  for (const std::string& name : *names) {
    auto spec = parse_policy_spec(name);
    if (!spec) return fail(spec.error());
    // Load it once before any run, so that its errors come first.
    const auto loaded = loader.load(spec->path_or_name, spec->settings);
    if (!loaded) return fail(loaded.error());
    add_to_sweep(id, name, **loaded);
    const std::string label =
        spec->settings.empty() ? std::filesystem::path(name).stem().string() : name;
    policies.push_back({label, [&loader, spec = *spec]() -> Result<std::unique_ptr<Policy>> {
                          return loader.load(spec.path_or_name, spec.settings);
                        }});
  }
  return policies;
}

/// The scenarios that the options name; with --traces alone, the recorded one. Sets the limits of a
/// recorded host, and adds notes on the recording.
Result<std::vector<simulated::Scenario>> scenarios_of(CompareOptions& options,
                                                      std::vector<std::string>& notes) {
  std::vector<simulated::Scenario> scenarios;
  if (!options.demand.paths.empty()) {
    auto recorded = demand_scenario(options.demand, options.workbench);
    if (!recorded) return fail(recorded.error());
    notes = std::move(recorded->notes);
    scenarios.push_back(std::move(recorded->scenario));
    return scenarios;
  }
  const auto names = names_or_bundled(options.scenarios, BundledKind::scenario);
  if (!names) return fail(names.error());
  for (const std::string& name : *names) {
    auto scenario = find_scenario(name);
    if (!scenario) return fail(scenario.error());
    scenarios.push_back(*std::move(scenario));
  }
  return scenarios;
}

void print_comparison(const Comparison& comparison, bool colored) {
  for (std::size_t s = 0; s < comparison.scenarios.size(); ++s) {
    const ComparedScenario& scenario = comparison.scenarios[s];
    TextOut out = standard_output();
    if (s > 0) out << '\n';
    out << scenario.name << ": " << scenario.summary
        << fmt::format(" ({}, host {}, headroom {})",
                       observers::counted(scenario.domains, "domain"),
                       scenario.host_total.text(comparison.units), to_text(comparison.headroom))
        << '\n';
    std::vector<TextTable::Column> columns = score_columns();
    columns.insert(columns.begin(), {"POLICY"});
    TextTable table(columns);
    for (const ComparisonRow& row : comparison.rows) {
      const ComparisonCell& cell = row.cells[s];
      std::vector<std::string> cells =
          cell.score ? score_cells(*cell.score) : std::vector<std::string>(columns.size() - 1, "-");
      cells.insert(cells.begin(), row.name);
      table.add_row(std::move(cells));
    }
    table.print(out, colored);
  }
}

Json comparison_json(const Comparison& comparison) {
  auto rows = Json::array();
  for (std::size_t s = 0; s < comparison.scenarios.size(); ++s) {
    for (const ComparisonRow& row : comparison.rows) {
      const ComparisonCell& cell = row.cells[s];
      Json json = Json::object({{"scenario", comparison.scenarios[s].name}, {"policy", row.name}});
      if (cell.score) json.update(score_json(*cell.score));
      if (!cell.problem.empty()) json.set("problem", cell.problem);
      rows.push_back(std::move(json));
    }
  }
  return rows;
}

void print_csv(const Comparison& comparison, const SweepOptions& sweep, const SweepId& id) {
  const auto row = [&comparison](std::size_t cell) {
    const std::size_t s = cell / comparison.rows.size();
    const ComparisonRow& compared = comparison.rows[cell % comparison.rows.size()];
    return files::csv_field(comparison.scenarios[s].name) + ',' + files::csv_field(compared.name) +
           score_fields(compared.cells[s].score);
  };
  print_sweep({"compare", id.text(), "scenario,policy" + score_heading(),
               comparison.rows.size() * comparison.scenarios.size(), row},
              sweep.shard);
}

/// Reports each policy that failed, with its first error.
ExitCode report_problems(const Comparison& comparison) {
  ExitCode code = ExitCode::ok;
  for (const ComparisonRow& row : comparison.rows) {
    for (std::size_t s = 0; s < row.cells.size(); ++s) {
      if (row.cells[s].problem.empty()) continue;
      report({ErrorCode::policy_failed, row.name + " on " + comparison.scenarios[s].name,
              row.cells[s].problem, "", ""});
      code = ExitCode::failed;
      break;
    }
  }
  return code;
}

Status check_options(const CompareOptions& options) {
  if (options.sweep.shard.count > 1 && !options.report.empty()) {
    return fail(ErrorCode::invalid_input, "--report", "contradicts --shard",
                "a report needs every policy on every scenario");
  }
  if (Status demand = check_demand(options.demand, "--scenarios", !options.scenarios.empty());
      !demand) {
    return demand;
  }
  return check_sweep(options.sweep);
}

Result<ExitCode> run_comparison(CompareOptions& options) {
  const PolicyLoader loader(with_simulation_time(options.workbench.policy_limits));
  if (const Status sound = check_options(options); !sound) return fail(sound.error());
  SweepId id = sweep_id(options.workbench);
  const auto policies = policies_of(options, loader, id);
  if (!policies) return fail(policies.error());
  std::vector<std::string> notes;
  auto scenarios = scenarios_of(options, notes);
  if (!scenarios) return fail(scenarios.error());
  for (const simulated::Scenario& scenario : *scenarios) add_to_sweep(id, scenario);
  for (const std::string& word : options.scenarios) {
    if (const Status added = add_scenario_text(id, word); !added) return fail(added.error());
  }
  if (!options.report.empty()) {
    if (Status writable = files::check_output(options.report, options.demand.paths); !writable)
      return fail(writable.error());
  }
  Comparison comparison;
  {
    Progress progress("comparing");
    const ComparingOptions comparing{simulation_options(options.workbench), options.workbench.jobs,
                                     !options.report.empty(), options.sweep.shard};
    comparison =
        compare(*policies, *scenarios, comparing,
                [&](double share, const std::string& what) { progress.show(share, what); });
  }
  if (!options.report.empty()) {
    const Status written = write_comparison_report(comparison, options.report);
    if (!written) return fail(written.error());
  }
  if (options.json) {
    standard_output().lines(comparison_json(comparison).text()) << '\n';
  } else if (options.sweep.csv) {
    print_csv(comparison, options.sweep, id);
  } else {
    print_comparison(comparison, wants_color(options.color, Stream::output));
    if (!notes.empty()) standard_output() << '\n';
    for (const std::string& note : notes) standard_output() << "note: " << note << '\n';
    if (!options.report.empty()) {
      standard_output() << '\n' << "report: " << options.report << '\n';
    }
  }
  return report_problems(comparison);
}

}  // namespace

void add_compare_command(Command& program) {
  const auto options = std::make_shared<CompareOptions>();
  Command& command = program.add("compare",
                                 "Run policies on simulated hosts and compare their figures with "
                                 "each other, with static sizing "
                                 "and with a clairvoyant allocator, which knows all future demand.",
                                 [options] { return run_comparison(*options); });
  add_list(command,
           {"-p,--policies", "POLICY...",
            "Lua files or bundled policies, each with optional settings "
            "(halving:wasteful_above=400MiB); default all bundled ones"},
           into_list(options->policies));
  add_list(
      command,
      {"-S,--scenarios", "SCENARIO...", "Lua files or bundled scenarios; default all bundled ones"},
      into_list(options->scenarios));
  add_traces_options(command, options->demand, false);
  add_option(command, {"-r,--report", "FILE", "write tables and curves to an HTML page"},
             into_text(options->report));
  add_flag(command, {"--json", "print JSON"}, options->json);
  add_sweep_options(command, options->sweep, "print CSV");
  add_color_option(command, options->color);
  add_jobs_option(command, options->workbench);
  add_comparing_options(command, options->workbench);
  add_periods_option(command, options->workbench);
  command.footer = examples_text({
      {"memcoord compare", "compare all bundled policies on all bundled scenarios"},
      {"memcoord compare --policies halving gradual mine.lua --scenarios case1 case3",
       "compare your own policy with two others"},
      {"memcoord compare -p halving halving:starved_below=200MiB -S burst",
       "show the effect of a parameter"},
      {"memcoord compare -p adaptive halving --traces /var/lib/memcoord",
       "compare policies on the demand of a recorded host"},
  });
}

}  // namespace memcoord::cli
