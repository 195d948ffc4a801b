#pragma once
// The two pages, handed over piece by piece.

#include "engine/workbench/comparison.h"
#include "engine/workbench/run_record.h"
#include "engine/workbench/whole_file.h"

namespace memcoord::workbench::report {

void write_run_page(const RunRecord& record, const WritePiece& write);
void write_comparison_page(const Comparison& comparison, const WritePiece& write);

}  // namespace memcoord::workbench::report
