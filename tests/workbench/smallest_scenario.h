#pragma once
// Makes a scenario small while something that it shows remains.

#include <cstddef>
#include <functional>

#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::testing {

/// Whether a smaller scenario still shows what the first one showed.
using StillShows = std::function<bool(const simulated::Scenario&)>;

/// The smallest scenario found by dropping domains (with and without their memory), cutting the
/// end, and dropping page cache, swap, settings and points of plans, and by rounding sizes to
/// 100 MiB and times to seconds. It asks `still_shows` at most `attempts` times. The result shows
/// it if the given scenario does. After delta debugging (Zeller, Hildebrandt: Simplifying and
/// Isolating Failure-Inducing Input, 2002), with one pass a kind of change, repeated while it
/// helps.
simulated::Scenario smallest_scenario(simulated::Scenario scenario, const StillShows& still_shows,
                                      std::size_t attempts);

}  // namespace memcoord::testing
