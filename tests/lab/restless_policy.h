#pragma once
// A policy that shows which domains memcoord serves: it moves every domain whenever it may, a
// little up and down, and counts its calls.

#include <cstddef>
#include <optional>
#include <string>

#include "engine/core/tick.h"
#include "tests/lab/lab_host.h"

namespace memcoord::lab {

/// Writes the policy into the lab's folder and returns its path. Its parameter `work` is the number
/// of turns of an empty loop in each tick, for a slow policy.
std::string restless_policy(const LabHost& host);

/// The policy's count of its calls at this tick, from ctx.state; none: the tick did not call it.
std::optional<int> times_asked(const Tick& tick);

}  // namespace memcoord::lab
