#pragma once
// What the commands of the workbench have in common: policies with settings, the interval,
// scenarios by name.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/cli/policy_loader.h"
#include "engine/cli/policy_options.h"
#include "engine/core/limits.h"
#include "engine/core/time.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::cli {

struct Command;

/// How policies are run on simulated hosts.
struct WorkbenchOptions {
  std::map<std::string, std::string> settings;  ///< --set: the policy's parameters
  PolicyLimitOptions policy_limits;
  Limits limits;
  Duration interval = kDefaultInterval;
  bool keep_periods = false;
  std::size_t jobs = 0;  ///< runs side by side; 0: one a core
};

/// Adds --set, the policy's limits, the guard's options and --interval.
void add_workbench_options(Command& command, WorkbenchOptions& options);
/// The same without --set: several policies carry settings of their own (PolicySpec).
void add_comparing_options(Command& command, WorkbenchOptions& options);
/// Adds --keep-periods, for commands that run scenarios: a trace has no periods.
void add_periods_option(Command& command, WorkbenchOptions& options);
/// Adds --jobs.
void add_jobs_option(Command& command, WorkbenchOptions& options);

/// Policy limits that tell a policy without end from a busy machine: simulated runs go on side by
/// side, and a run must not depend on how fast the machine is.
PolicyLimitOptions unhurried(PolicyLimitOptions limits);

/// A policy's file or name with settings of its own: "halving", "mine.lua:step=50MiB,keep=2".
struct PolicySpec {
  std::string label;  ///< as it was written
  std::string path_or_name;
  PolicyLoader::Settings settings;
};
/// Errors: invalid_input where what follows the colon is no list of settings.
Result<PolicySpec> parse_policy_spec(const std::string& text);

/// A bundled scenario or a file. Errors: as load_scenario(); not_found with the nearest name.
Result<simulated::Scenario> find_scenario(const std::string& path_or_name);

}  // namespace memcoord::cli
