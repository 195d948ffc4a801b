#pragma once
// Reports for people: one HTML file each, complete in itself - styles, script and data inside,
// nothing loaded from anywhere.

#include <filesystem>

#include "engine/core/error.h"
#include "engine/workbench/comparison.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench {

/// One run: its figures, the host's curves, each domain's, where guard rules bit, what happened.
/// The file appears whole or not at all, and replaces an older one. Its size is bounded by the
/// record's. Errors: the file cannot be written.
Status write_run_report(const RunRecord& record, const std::filesystem::path& path);

/// Policies by scenarios: the figures, the best of each marked, and for the cells that keep a
/// record, the curves side by side. Written as write_run_report() does.
Status write_comparison_report(const Comparison& comparison, const std::filesystem::path& path);

}  // namespace memcoord::workbench
