#pragma once
// A policy for finding out who is served: it moves every domain whenever it may, a little to and
// fro, and says how often it has been asked.

#include <cstddef>
#include <optional>
#include <string>

#include "engine/core/tick.h"
#include "tests/lab/lab_host.h"

namespace memcoord::lab {

/// Writes it into the lab's folder; its path. Parameter `work`: turns of an empty loop in each
/// tick, for a policy that takes its time.
std::string restless_policy(const LabHost& host);

/// How often the policy had been asked by this tick, by its own count in ctx.state; none where it
/// was not asked.
std::optional<int> times_asked(const Tick& tick);

}  // namespace memcoord::lab
