#include "engine/core/recorded_tick.h"

#include <unordered_map>
#include <utility>

#include "engine/core/evaluation.h"
#include "engine/core/guard.h"
#include "engine/core/guest_reports.h"

namespace memcoord {
namespace {

/// The situation as it was. The history is short, so the guard's own figures take its place.
Situation recorded_situation(const Tick& tick, const Snapshot& snapshot, const History& history) {
  Situation situation = guard::assess(snapshot, history, tick.limits);
  situation.tick = tick.number;
  situation.grantable = tick.grantable;
  situation.shortfall = tick.account.shortfall;
  std::unordered_map<Uuid, const SkippedDomain*> skipped;
  for (const SkippedDomain& one : tick.skipped) skipped.emplace(one.domain, &one);
  for (DomainView& view : situation.domains) {
    const auto found = skipped.find(view.domain.uuid());
    if (found == skipped.end()) continue;
    view.skipped = Skipped{found->second->rule, found->second->why};
    view.reclaimable = view.reclaimable_in_all = {};
  }
  return situation;
}

Reconsideration decide(const Situation& situation, Policy& policy) {
  Reconsideration result;
  auto answer = policy.decide(situation);
  if (answer) {
    result.proposals = std::move(answer->proposals);
  } else {
    result.policy_error = answer.error();
  }
  prefer(result.proposals, own_proposals(situation, result.proposals));
  prefer(result.proposals, after_reboots(situation));
  result.decisions = guard::review(situation, result.proposals);
  return result;
}

}  // namespace

Snapshot observe_recorded(const Tick& tick, History& history) {
  for (const Outcome& late : tick.late_outcomes) {
    history.settle({&late, 1}, late.at, tick.snapshot.wall_time_at(late.at));
  }
  Snapshot snapshot = tick.snapshot;
  (void)drop_impossible(snapshot, history);
  history.observe(snapshot);
  return snapshot;
}

void record_moves(const Tick& tick, History& history) {
  for (const Outcome& outcome : tick.outcomes) {
    history.record({&outcome, 1}, outcome.at, tick.snapshot.wall_time_at(outcome.at));
  }
}

Reconsideration reconsider(const Tick* before, const Tick& tick, Policy& policy) {
  History history;
  Duration since_last{};
  if (before != nullptr) {
    const Snapshot snapshot = observe_recorded(*before, history);
    // Its answer does not count, but it may keep state.
    (void)policy.decide(recorded_situation(*before, snapshot, history));
    record_moves(*before, history);
    since_last = tick.snapshot.taken_at - before->snapshot.taken_at;
  }
  const Snapshot snapshot = observe_recorded(tick, history);
  Situation situation = recorded_situation(tick, snapshot, history);
  situation.since_last = since_last;
  return decide(situation, policy);
}

}  // namespace memcoord
