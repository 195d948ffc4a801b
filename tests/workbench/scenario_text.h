#pragma once
// Writes a scenario as the Lua file that docs/simulator.md describes.

#include <string>

#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::testing {

/// The text of a file that load_scenario() reads as the same scenario. It writes what random
/// scenarios have: sizes in whole KiB, times in whole milliseconds, plans of ramps, and of a
/// domain's keys all but faults, labels, NUMA nodes and hugepages.
std::string scenario_text(const simulated::Scenario& scenario);

}  // namespace memcoord::testing
