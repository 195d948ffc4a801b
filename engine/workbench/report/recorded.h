#pragma once
// The record of a real run in words and figures.

#include <string>
#include <vector>

#include "engine/workbench/report/page.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench::report {

/// "2026-01-31 22:00:00 to 2026-02-01 06:00:00", in local time.
std::string time_span_text(const RunRecord& record);

/// What mattered, in a sentence or two: "3 of 100 domains were short of memory, web longest (12
/// min). The host was under its floor for 4 s."
std::string summary_text(const RunRecord& record);

/// The figures of a recorded run: always the same in the same order.
std::vector<Figure> figures_of_recorded(const RunRecord& record);

}  // namespace memcoord::workbench::report
