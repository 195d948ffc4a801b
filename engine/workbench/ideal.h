#pragma once
// What no policy can pass, on a scenario: an allocator that knows every demand beforehand.

#include "engine/core/limits.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/score.h"

namespace memcoord::workbench {

/// The figures of an allocator that gives each domain at each moment just what it needs, at once,
/// and leaves the largest needs short where the host has too little. No move costs it anything, so
/// it has no churn. Time is looked at once a second.
Score clairvoyant_score(const simulated::Scenario& scenario, const Limits& limits);

}  // namespace memcoord::workbench
