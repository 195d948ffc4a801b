#pragma once
// Policies beside each other on the same scenarios: what `memcoord compare` finds out, and what its
// table and its report show.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/memory_size.h"
#include "engine/core/snapshot.h"
#include "engine/core/time.h"
#include "engine/workbench/run_record.h"
#include "engine/workbench/score.h"

namespace memcoord::workbench {

/// A scenario that everything in a comparison was run on.
struct ComparedScenario {
  std::string name;
  std::string summary;
  MemorySize host_total;
  std::size_t domains = 0;
  Duration duration{};
};

/// One policy (or yardstick) on one scenario.
struct ComparisonCell {
  /// None where there is no figure: the run failed, or the yardstick does not apply.
  std::optional<Score> score;
  std::string problem;  ///< why there is no score, or what went wrong on the way; else empty
  /// What happened, for curves; null where it was not kept.
  std::shared_ptr<const RunRecord> record;
};

/// One row of the table: a cell for each of Comparison::scenarios.
struct ComparisonRow {
  enum class Kind {
    policy,
    static_sizing,      ///< every domain keeps its share of the host for good
    clairvoyant_bound,  ///< an allocator that knows every demand beforehand
  };
  Kind kind = Kind::policy;
  std::string name;  ///< "halving", "static sizing", "clairvoyant bound"
  std::vector<ComparisonCell> cells;
};

struct Comparison {
  Duration interval{};
  Headroom headroom = Headroom::larger;  ///< what floors and policies went by
  Units units = Units::automatic;        ///< what sizes are told in
  std::vector<ComparedScenario> scenarios;
  std::vector<ComparisonRow> rows;  ///< policies first, in the order asked for
};

}  // namespace memcoord::workbench
