#pragma once
// Runs policies on the same scenarios and compares their figures, for `memcoord compare`.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/memory_size.h"
#include "engine/core/snapshot.h"
#include "engine/core/time.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/run_record.h"
#include "engine/workbench/shard.h"
#include "engine/workbench/simulation.h"

namespace memcoord::workbench {

/// A scenario that every row of a comparison ran on.
struct ComparedScenario {
  std::string name;
  std::string summary;
  MemorySize host_total;
  std::size_t domains = 0;
  Duration duration{};
};

/// The result of one policy, or of one baseline, on one scenario.
struct ComparisonCell {
  std::optional<Score> score;  ///< none if the run could not start
  std::string problem;  ///< why there is no score, or which errors the policy made; else empty
  /// For charts; null unless the comparison keeps records.
  std::shared_ptr<const RunRecord> record;
};

/// One row of the table, with a cell for each of Comparison::scenarios.
struct ComparisonRow {
  enum class Kind {
    policy,
    static_sizing,      ///< every domain keeps its initial memory
    clairvoyant_bound,  ///< an allocator that knows every demand beforehand
  };
  Kind kind = Kind::policy;
  std::string name;  ///< "halving", "static sizing", "clairvoyant bound"
  std::vector<ComparisonCell> cells;
};

struct Comparison {
  Duration interval{};
  Headroom headroom = Headroom::larger;  ///< the metric for floors and policies
  Units units = Units::automatic;        ///< for sizes in texts
  std::vector<ComparedScenario> scenarios;
  std::vector<ComparisonRow> rows;  ///< the policies in the order of the call, then the baselines
};

struct ComparedPolicy {
  std::string label;
  PolicyMaker make;  ///< called from several threads
};

struct ComparingOptions {
  SimulationOptions simulation;
  std::size_t threads = 0;    ///< 0: one per core
  bool keep_records = false;  ///< for a report's charts
  Shard shard;                ///< which cells to compute; the others stay empty
};

/// Runs every policy, static sizing and the clairvoyant allocator on every scenario. A policy that
/// cannot be made, or fails, has the problem in its cells. Calls `progress` from several threads,
/// with the share that is done (0 to 1) and a text about the run that has just ended.
Comparison compare(const std::vector<ComparedPolicy>& policies,
                   const std::vector<simulated::Scenario>& scenarios,
                   const ComparingOptions& options,
                   const std::function<void(double, const std::string&)>& progress = {});

}  // namespace memcoord::workbench
