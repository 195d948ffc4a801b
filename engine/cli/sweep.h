#pragma once
// Sweeps on the command line: --csv, --shard, and the identity that the shards of one sweep share.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/workbench_commands.h"
#include "engine/core/error.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/shard.h"
#include "engine/workbench/trace.h"

namespace memcoord::cli {

struct Command;

struct SweepOptions {
  bool csv = false;
  workbench::Shard shard;
};

/// Adds --csv and --shard. --json comes before.
void add_sweep_options(Command& command, SweepOptions& options, const std::string& csv_text);
/// Errors: invalid_input (--shard without --csv).
Status check_sweep(const SweepOptions& options);

/// The identity of a sweep with these options, of this version of memcoord. Callers add the rest:
/// policies, demand, and options of their own.
workbench::SweepId sweep_id(const WorkbenchOptions& options);
/// A policy's name and its source.
void add_to_sweep(workbench::SweepId& id, const std::string& label,
                  const bindings::LuaPolicy& policy);
void add_to_sweep(workbench::SweepId& id, const workbench::Trace& trace);
/// A scenario's name and demand.
void add_to_sweep(workbench::SweepId& id, const simulated::Scenario& scenario);
/// The text of a scenario's file, which decides the rest of it. Nothing for the name of a bundled
/// scenario, which the version decides. Errors: those of files::read_up_to().
Status add_scenario_text(workbench::SweepId& id, const std::string& file_or_name);

/// A sweep as CSV.
struct SweepTable {
  std::string command;
  std::string id;  ///< SweepId::text()
  std::string heading;
  std::size_t rows = 0;                         ///< of the whole sweep
  std::function<std::string(std::size_t)> row;  ///< of a cell of the shard
};
/// Prints the shard's rows; for a part of a sweep after the line that tells where it belongs.
void print_sweep(const SweepTable& table, const workbench::Shard& shard);

/// ",0.1,2,..." for each name; empty fields without a score.
std::string score_fields(const std::optional<workbench::Score>& score);
/// ",stalled,deficit_gib_hours,..."
std::string score_heading();

}  // namespace memcoord::cli
