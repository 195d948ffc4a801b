#pragma once
// What a tick comes to, from what was seen to what may be done: the same for a run and for its
// replay. Pure functions of values.

#include <cstdint>
#include <vector>

#include "engine/core/policy.h"

namespace memcoord {

/// How a snapshot that `history` has observed stands under `limits`. The values outlive the result.
Situation situation_of(const Snapshot& snapshot, const History& history, const Limits& limits,
                       std::uint64_t tick, Duration since_last);

struct Evaluation {
  std::vector<Proposal> proposals;  ///< the policy's, and the engine's own in their place
  std::vector<Decision> decisions;  ///< what the guard makes of them
};

/// What comes of what the policy `asked` for, which may be nothing: it has failed, or wants
/// nothing.
Evaluation evaluate(const Situation& situation, const History& history,
                    std::vector<Proposal> asked);

}  // namespace memcoord
