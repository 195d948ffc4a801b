#include "engine/cli/workbench_options.h"

#include <algorithm>
#include <utility>

#include "engine/cli/bundled_files.h"
#include "engine/cli/guard_options.h"
#include "engine/cli/option_values.h"
#include "engine/cli/options.h"
#include "engine/cli/terminal.h"
#include "engine/workbench/scenario_file.h"

namespace memcoord::cli {

void add_workbench_options(Command& command, WorkbenchOptions& options) {
  add_set_option(command, options.settings);
  add_comparing_options(command, options);
}

void add_periods_option(Command& command, WorkbenchOptions& options) {
  add_flag(command,
           {"--keep-periods",
            "guests report as seldom as the scenario says; else longer periods than the interval "
            "are shortened, as on a real host"},
           options.keep_periods);
}

void add_comparing_options(Command& command, WorkbenchOptions& options) {
  add_option(
      command,
      {"-i,--interval", "TIME", "time from tick to tick: seconds, or with a unit (500ms, 2s, 1m)"},
      into(options.interval, parse_duration));
  add_units_option(command, options.limits.units);
  add_guard_options(command, options.limits);
  add_policy_limit_options(command, options.policy_limits, "Limits");
}

void add_jobs_option(Command& command, WorkbenchOptions& options) {
  const auto parse = [](const std::string& text) { return parse_whole_number(text, {1, 1024}); };
  add_option(command, {"-J,--jobs", "N", "runs side by side; default one a core"},
             into(options.jobs, parse));
}

PolicyLimitOptions unhurried(PolicyLimitOptions limits) {
  if (!limits.time) limits.time = std::chrono::seconds(10);
  return limits;
}

Result<PolicySpec> parse_policy_spec(const std::string& text) {
  PolicySpec spec{text, text, {}};
  // A colon may be part of a path: only one that settings follow counts.
  const std::size_t equals = text.find('=');
  const std::size_t colon = equals == std::string::npos ? equals : text.rfind(':', equals);
  if (colon == std::string::npos) return spec;
  spec.path_or_name = text.substr(0, colon);
  std::size_t start = colon + 1;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    auto assignment = parse_assignment(text.substr(start, end - start));
    if (!assignment) {
      Error error = assignment.error();
      error.object = text;
      error.hint = "expected POLICY or POLICY:NAME=VALUE,NAME=VALUE";
      return fail(std::move(error));
    }
    spec.settings.insert_or_assign(assignment->first, assignment->second);
    start = end + 1;
  }
  return spec;
}

Result<simulated::Scenario> find_scenario(const std::string& path_or_name) {
  const auto path = BundledFiles(BundledKind::scenario, data_directories()).find(path_or_name);
  if (!path) return fail(path.error());
  return workbench::load_scenario(*path);
}

}  // namespace memcoord::cli
