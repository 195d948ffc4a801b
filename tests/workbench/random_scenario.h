#pragma once
// Random scenarios: hosts and guests drawn from a seed, the same bytes on every machine.

#include <cstdint>

#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::testing {

/// Scenario `number` of a seed: 2 to 40 domains for 5 to 30 minutes, named "random-NUMBER". Its
/// summary names its kind: a boot storm, correlated rises, elephants among mice, page cache, steady
/// rises, jumps, guests that come and go, or a mixture. Two of three hosts have memory for every
/// need at every moment. Times are whole tenths of a second and sizes whole MiB. It uses only
/// integers, so that every machine makes the same scenario.
simulated::Scenario random_scenario(std::uint64_t seed, std::uint64_t number);

}  // namespace memcoord::testing
