#pragma once
// The two pages, handed over piece by piece.

#include "engine/files/whole_file.h"
#include "engine/workbench/comparison.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench::report {

void write_run_page(const RunRecord& record, const files::WritePiece& write);
void write_comparison_page(const Comparison& comparison, const files::WritePiece& write);

}  // namespace memcoord::workbench::report
