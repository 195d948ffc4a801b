#pragma once
// Demand traces: the memory use of VMs over time. docs/simulator.md describes the two formats.

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
  MemorySize provisioned;        ///< the size that it was configured with
  std::vector<MemorySize> used;  ///< one value for each of Trace::times, at most `provisioned`
  /// The part of the use that the guest's kernel needs; 0: the use is the workload's alone. A use
  /// with it is resident memory: it counts pages until the guest has released them.
  MemorySize kernel = {};
};

/// Several VMs over the same moments.
struct Trace {
  std::vector<std::chrono::seconds> times;  ///< since the trace's start, rising
  std::vector<TraceColumn> columns;

  /// Whether the uses are resident memory, see TraceColumn::kernel.
  [[nodiscard]] bool is_resident() const;
};

/// The latest time that a trace may name, from its start.
inline constexpr std::chrono::seconds kLongestTrace{100LL * 366 * 86400};

/// The most VMs of a trace, and the most domains of a recording. Inputs with more are refused
/// before they take memory.
inline constexpr std::size_t kMaxColumns = 200'000;

/// The error, without an object, for a recording of more domains than that.
Error too_many_domains(std::size_t most = kMaxColumns);

/// The size up to which traces are read into memory.
struct TraceBounds {
  std::size_t values = 200'000'000;   ///< columns times rows
  std::size_t columns = kMaxColumns;  ///< of a recording
};

/// Reads a trace:
/// - a wide CSV file: comment lines (#), `t_s,<vm>,...`, `provisioned_kib,<size>,...`, optionally
///   `kernel_kib,<size>,...`, then one row per step;
/// - a file of the Grid Workloads Archive's format GWA-T-12, which holds one VM: semicolons, and a
///   header with "Timestamp", "Memory capacity provisioned [KB]" and "Memory usage [KB]";
/// - a folder of GWA-T-12 files as one trace, over the moments of its first file.
/// Errors: not_found; limit_exceeded; invalid_input with file and line: a missing column or value,
/// times that do not rise or exceed kLongestTrace, mixed formats, an empty file, a value that is
/// not a number.
Result<Trace> read_trace(const std::filesystem::path& path, TraceBounds bounds = {});

/// How long each row's values hold: until the next row. The last row holds as long as the row
/// before it; the only row of a trace holds for five minutes.
std::vector<std::chrono::seconds> holds_of(const std::vector<std::chrono::seconds>& times);

/// Demand computed from use. A guest does not release pages as soon as they become cold, so the
/// demand at a moment is the largest use within `footprint` before it, at most `provisioned`.
std::vector<MemorySize> trailing_maximum(const std::vector<std::chrono::seconds>& times,
                                         const std::vector<MemorySize>& used,
                                         std::chrono::seconds footprint, MemorySize provisioned);

}  // namespace memcoord::workbench
