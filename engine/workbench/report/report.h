#pragma once
// HTML reports. Each is one file that holds its styles, scripts and data, and loads nothing.

#include <filesystem>

#include "engine/core/error.h"
#include "engine/workbench/comparison.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench {

/// Writes a run's report: its figures, the host's and each domain's memory over time, the guard
/// rules that limited moves, and the events. The file replaces an older one, and appears only when
/// it is complete. Errors: the file cannot be written.
Status write_run_report(const RunRecord& record, const std::filesystem::path& path);

/// Writes a comparison's report: the figures of policies by scenarios with the best ones marked,
/// and side by side the memory over time of the runs whose cells have a record. Written like a
/// run's report.
Status write_comparison_report(const Comparison& comparison, const std::filesystem::path& path);

}  // namespace memcoord::workbench
