#pragma once
// Demand traces: what real or made-up VMs used of their memory, over time. Two formats are read
// directly; docs/simulator.md describes them.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/memory_size.h"

namespace memcoord::workbench {

/// One VM of a trace.
struct TraceColumn {
  std::string name;
  MemorySize provisioned;        ///< what it was sold; its demand never passes it
  std::vector<MemorySize> used;  ///< one value for each of Trace::times
};

/// Several VMs over the same moments.
struct Trace {
  std::vector<std::chrono::seconds> times;  ///< from the trace's start, rising
  std::vector<TraceColumn> columns;
};

/// No trace reaches further: what is further apart is no time.
inline constexpr std::chrono::seconds kLongestTrace{100LL * 366 * 86400};

/// Where a reader gives up on a trace that is too large to hold.
struct TraceBounds {
  std::size_t values = 200'000'000;  ///< columns times rows
};

/// Reads a trace:
/// - a wide CSV: comment lines (#), `t_s,<vm>,...`, `provisioned_kib,<size>,...`, then a row a
/// step;
/// - the Grid Workloads Archive's GWA-T-12 form: one file a VM, semicolons, a header that names
///   "Timestamp", "Memory capacity provisioned [KB]" and "Memory usage [KB]"; a folder of such
///   files is one trace, over the moments that the first of them has.
/// Errors: not_found; invalid_input with file and line for a missing column, a hole, time that
/// does not rise or passes kLongestTrace, mixed formats, an empty file, a value that is no number;
/// limit_exceeded.
Result<Trace> read_trace(const std::filesystem::path& path, TraceBounds bounds = {});

/// How long the values of each row hold: until the next row, and the last row's as long as those of
/// the row before it; five minutes where there is one row only.
std::vector<std::chrono::seconds> holds_of(const std::vector<std::chrono::seconds>& times);

/// A guest does not hand pages back the moment they cool down: the demand at a moment is the
/// largest use within `footprint` before it, at most the provisioned size.
std::vector<MemorySize> trailing_maximum(const std::vector<std::chrono::seconds>& times,
                                         const std::vector<MemorySize>& used,
                                         std::chrono::seconds footprint, MemorySize provisioned);

}  // namespace memcoord::workbench
