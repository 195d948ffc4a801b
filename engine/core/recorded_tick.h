#pragma once
// Recorded ticks, evaluated again: by replay, and to ask what another policy would have decided.

#include <optional>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/history.h"
#include "engine/core/policy.h"
#include "engine/core/tick.h"

namespace memcoord {

/// Lets a history observe a recorded tick, as the coordinator did before it decided: first the late
/// outcomes of earlier moves, then the snapshot without figures that cannot be true. Returns that
/// snapshot.
Snapshot observe_recorded(const Tick& tick, History& history);
/// Lets a history record the tick's moves, as the coordinator did after it decided.
void record_moves(const Tick& tick, History& history);

/// What a policy decides on a recorded tick in the place of the one that decided.
struct Reconsideration {
  std::vector<Proposal> proposals;  ///< the policy's, with the engine's own in their place
  std::vector<Decision> decisions;  ///< the guard's
  std::optional<Error> policy_error;
};
/// Asks a new policy about a tick whose sample worked, after it has decided on the tick `before`
/// (null: none). The policy knows no earlier past. The guard decides by the tick's own figures:
/// what it granted, and whom it skipped.
Reconsideration reconsider(const Tick* before, const Tick& tick, Policy& policy);

}  // namespace memcoord
