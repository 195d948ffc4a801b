#include "engine/core/evaluation.h"

#include <utility>

#include "engine/core/guard.h"
#include "engine/core/own_proposals.h"

namespace memcoord {

Situation situation_of(const Snapshot& snapshot, const History& history, const Limits& limits,
                       std::uint64_t tick, Duration since_last) {
  const guard::HostBalance host = guard::balance(snapshot, history, limits);
  return {snapshot,       limits,     guard::assess(snapshot, history, limits),
          host.grantable, tick,       since_last,
          host.owed,      host.rescue};
}

Evaluation evaluate(const Situation& situation, const History& history,
                    std::vector<Proposal> asked) {
  Evaluation result;
  result.proposals = std::move(asked);
  prefer(result.proposals, own_proposals(situation, result.proposals));
  prefer(result.proposals, after_reboots(situation));
  const guard::HostBalance host{situation.grantable, situation.owed, situation.rescue};
  result.decisions =
      guard::review(situation.snapshot, history, result.proposals, situation.limits, host);
  return result;
}

}  // namespace memcoord
