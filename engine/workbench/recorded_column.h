#pragma once
// One domain of a recording, and what a user should know of the recorded domains.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/balloon_tracker.h"
#include "engine/core/uuid.h"
#include "engine/workbench/guest_need.h"
#include "engine/workbench/journal_demand.h"
#include "engine/workbench/trace.h"

namespace memcoord::workbench {

/// One domain of the recording.
struct RecordedColumn {
  Uuid uuid;
  TraceColumn trace;
  RecordedDomain recorded;
  GuestNeed need;
  std::string first_name;
  MemorySize first_maximum;
  int id = 0;
  bool maximum_fell = false;
  MemorySize hidden;              ///< hidden_shortage() at the tick before
  bool movable = false;           ///< in some tick, a balloon served it
  MemorySize resident;            ///< the most that its process held
  MemorySize actual;              ///< at the newest tick with it
  std::optional<WallTime> stamp;  ///< of its report when the balloon last moved
  ProcessOverhead overhead;
  std::size_t last_observed = 0;  ///< the number of the newest tick with it, of those with a sample
};

struct StartsAndStops {
  std::size_t starts = 0;  ///< after the first tick
  std::size_t stops = 0;
};
/// Adds lines on starts and stops, renames, maximums that changed, and domains without figures.
/// `fixed`: domains that no balloon served.
void note_domains(const std::vector<RecordedColumn>& columns, const std::vector<std::string>& fixed,
                  StartsAndStops count, std::vector<std::string>& notes);

/// Gives the second domain of a name another one, "NAME (2)", and adds a line that says so.
void make_names_unique(std::vector<RecordedColumn>& columns, std::vector<std::string>& notes);

}  // namespace memcoord::workbench
