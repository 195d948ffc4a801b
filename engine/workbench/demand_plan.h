#pragma once
// Demand as scenarios write it: points, or a generator that makes them.

#include <cstdint>
#include <optional>

#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/scenario_reader.h"

namespace memcoord::workbench {

/// Reads the plan under `key`: a list of {seconds, size} points with ramps between them, or a table
/// with a `generator` (steps, sawtooth, bursts, diurnal, leak, walk). `seed` makes what is random
/// repeatable. What is wrong goes into the reader.
simulated::Plan read_plan(TableReader& domain, const bindings::Document& document, const char* key,
                          Duration duration, std::uint64_t seed);

}  // namespace memcoord::workbench
