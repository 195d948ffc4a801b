#pragma once
// HTML reports. Each is one file that holds its styles, scripts and data, and loads nothing.

#include <filesystem>
#include <string>

#include "engine/core/error.h"
#include "engine/workbench/comparison.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench {

/// Writes a run's report: its figures, the host's and each domain's memory over time, the guard
/// rules that limited moves, and the events. The file replaces an older one, and appears only when
/// it is complete. Errors: the file cannot be written.
Status write_run_report(const RunRecord& record, const std::filesystem::path& path);

/// The record of a real run in words.
struct RecordSummary {
  std::string time;  ///< "2026-01-31 22:00:00 to 2026-02-01 06:00:00", in local time
  std::string text;  ///< what mattered, in a sentence or two
};
/// Needs RunRecord::recorded.
RecordSummary summary_of(const RunRecord& record);

/// Writes a comparison's report: the figures of policies by scenarios with the best ones marked,
/// and side by side the memory over time of the runs whose cells have a record. Written like a
/// run's report.
Status write_comparison_report(const Comparison& comparison, const std::filesystem::path& path);

}  // namespace memcoord::workbench
