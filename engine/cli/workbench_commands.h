#pragma once
// Shared by the commands of the workbench: their options, figures as text and JSON, a progress bar.

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/policy_loader.h"
#include "engine/core/error.h"
#include "engine/core/limits.h"
#include "engine/core/text_table.h"
#include "engine/core/time.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/observers/json.h"
#include "engine/workbench/simulation.h"
#include "engine/workbench/trace_source.h"

namespace memcoord::cli {

struct Command;

/// How policies run on simulated hosts.
struct WorkbenchOptions {
  std::map<std::string, std::string> settings;  ///< --set: the policy's parameters
  PolicyLimitOptions policy_limits;
  Limits limits;
  Duration interval = kDefaultInterval;
  Duration min_interval = kDefaultMinInterval;
  bool keep_periods = false;
  std::size_t jobs = 0;  ///< threads; 0: one per core
};

/// The options of each simulation.
workbench::SimulationOptions simulation_options(const WorkbenchOptions& options);

/// Adds --set, --interval, --min-interval, --units, the guard's options and the policy's limits.
void add_workbench_options(Command& command, WorkbenchOptions& options);
/// The same without --set, for commands whose policies have settings of their own (PolicySpec).
void add_comparing_options(Command& command, WorkbenchOptions& options);
/// Adds --keep-periods, for commands with scenarios; traces have no statistics periods.
void add_periods_option(Command& command, WorkbenchOptions& options);
/// Adds --jobs.
void add_jobs_option(Command& command, WorkbenchOptions& options);

/// Demand that was recorded, for --traces.
struct RecordedDemandOptions {
  std::vector<std::string> paths;            ///< one trace, or journals of one host
  std::optional<std::chrono::seconds> step;  ///< of a journal's rows
  std::optional<MemorySize> host;            ///< its memory; none: the recorded host's
};
/// Adds --traces, --host and --step.
void add_traces_options(Command& command, RecordedDemandOptions& options, bool required);
/// Checks that demand and scenarios do not contradict each other. `option` names the scenarios, and
/// `given` says whether there are any. Errors: invalid_input.
Status check_demand(const RecordedDemandOptions& options, const std::string& option, bool given);
/// Adds --step.
void add_step_option(Command& command, std::optional<std::chrono::seconds>& step);
/// Errors: those of read_trace_source().
Result<workbench::TraceSource> read_demand(const std::vector<std::string>& paths,
                                           std::optional<std::chrono::seconds> step);
/// The named paths in a line: "mon.jsonl", "mon.jsonl and 6 more".
std::string paths_text(const std::vector<std::string>& paths);
/// The limits for demand that was recorded on this host: those of the recording, if the user gave
/// none. The guests' budget is left out.
Limits limits_for(const workbench::RecordedHost& host, const Limits& given);

/// A scenario of recorded demand, with all its domains.
struct DemandScenario {
  simulated::Scenario scenario;
  std::vector<std::string> notes;  ///< on the recording, a line each
};
/// Makes it, and sets the limits of `workbench` by limits_for(). Errors: those of
/// read_trace_source(); invalid_input for a trace without --host.
Result<DemandScenario> demand_scenario(const RecordedDemandOptions& options,
                                       WorkbenchOptions& workbench);

/// A policy's file or name with settings of its own: "halving", "mine.lua:step=50MiB,keep=2".
struct PolicySpec {
  std::string label;  ///< the text as written
  std::string path_or_name;
  PolicyLoader::Settings settings;
};
/// Errors: invalid_input if the text after the colon is not a list of settings.
Result<PolicySpec> parse_policy_spec(const std::string& text);

/// The columns of a table of scores, in the order of score_cells().
std::vector<TextTable::Column> score_columns();
/// The cells of one score: "0.012 %", "0.31", ...
std::vector<std::string> score_cells(const workbench::Score& score);
/// A share as a percentage with the digits it needs: "0", "0.0042 %", "12.3 %".
std::string share_text(double share);
/// Every figure of a score by name; shares are numbers from 0 to 1.
observers::Json score_json(const workbench::Score& score);

/// One line on standard error that shows how far a long computation is. It draws only on a terminal
/// and erases itself at the end.
class Progress {
 public:
  /// `what` stands before the bar: "simulating case1".
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows a share from 0 to 1 and a detail. Any thread may call it; it draws at most ten times a
  /// second.
  void show(double share, const std::string& detail = {});

 private:
  std::mutex mutex_;
  std::string what_;
  bool active_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace memcoord::cli
