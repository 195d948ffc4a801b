#pragma once
// A score as people read it: each figure with its name, its value and what it means.

#include <string>
#include <vector>

#include "engine/workbench/score.h"

namespace memcoord::workbench::report {

struct Figure {
  std::string key;        ///< as in JSON: "stalled"
  std::string name;       ///< "stalled"
  std::string text;       ///< "0.35 %"
  std::string meaning;    ///< one clause
  double value = 0;       ///< to compare by; smaller is better
  bool alarming = false;  ///< a figure that is to be zero, and is not
};

/// Always the same figures in the same order.
std::vector<Figure> figures_of(const Score& score);

}  // namespace memcoord::workbench::report
