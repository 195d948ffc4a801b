#pragma once
// Runs policies on scenarios, side by side on all cores, with the two yardsticks.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/policy.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/comparison.h"
#include "engine/workbench/simulation.h"

namespace memcoord::workbench {

struct ComparedPolicy {
  std::string label;
  PolicyMaker make;  ///< called from several threads
};

struct ComparingOptions {
  SimulationOptions simulation;
  std::size_t threads = 0;    ///< 0: one a core
  bool keep_records = false;  ///< for reports' curves
};

/// Every policy on every scenario; then a row of static sizing and one of the clairvoyant bound.
/// `progress` gets the share done and what is being run, from several threads.
Comparison compare(const std::vector<ComparedPolicy>& policies,
                   const std::vector<simulated::Scenario>& scenarios,
                   const ComparingOptions& options,
                   const std::function<void(double, const std::string&)>& progress = {});

}  // namespace memcoord::workbench
