#pragma once
// A run's figures, as tables and JSON show them.

#include <string>
#include <vector>

#include "engine/core/text_table.h"
#include "engine/observers/json.h"
#include "engine/workbench/score.h"

namespace memcoord::cli {

/// The columns of a table of scores, in the order of score_cells().
std::vector<TextTable::Column> score_columns();
/// "0.012 %", "0.31", ... for each of them.
std::vector<std::string> score_cells(const workbench::Score& score);

/// A share with as many digits as it takes: "0", "0.0042 %", "12.3 %".
std::string share_text(double share);

/// Every figure under its name; shares as numbers from 0 to 1.
observers::Json score_json(const workbench::Score& score);

}  // namespace memcoord::cli
