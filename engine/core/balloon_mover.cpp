#include "engine/core/balloon_mover.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "engine/core/guard.h"

namespace memcoord {
namespace {

/// A step is worth a call to the hypervisor if it is at least this part of what its grow lacks.
constexpr std::uint64_t kSmallestPart = 4;

bool any_grows(const std::vector<Decision>& decisions) {
  return std::any_of(decisions.begin(), decisions.end(),
                     [](const Decision& decision) { return decision.grows(); });
}

bool any_shrinks(const std::vector<Decision>& decisions) {
  return std::any_of(decisions.begin(), decisions.end(),
                     [](const Decision& decision) { return decision.shrinks(); });
}

Move move_of(const Decision& decision) {
  return {decision.domain, decision.actual, decision.target};
}

/// A domain whose step failed gets no other step in this tick.
void drop_failed(std::vector<PendingGrow>& pending, std::span<const Outcome> outcomes) {
  std::unordered_set<Uuid> failed;
  for (const Outcome& outcome : outcomes) {
    if (outcome.kind != Outcome::Kind::applied) failed.insert(outcome.domain);
  }
  if (failed.empty()) return;
  std::erase_if(pending,
                [&](const PendingGrow& one) { return failed.contains(one.decision->domain); });
}

}  // namespace

void BalloonMover::apply(Tick& tick) {
  shrink(tick);
  if (any_shrinks(tick.decisions) && any_grows(tick.decisions) && !options_.dry_run) {
    grow_as_released(tick);
    return;
  }
  std::vector<Move> grows;
  for (const Decision& decision : tick.decisions) {
    if (decision.grows()) grows.push_back(move_of(decision));
  }
  send(tick, grows);
}

void BalloonMover::shrink(Tick& tick) {
  std::vector<Move> shrinks;
  for (const Decision& decision : tick.decisions) {
    if (decision.shrinks()) shrinks.push_back(move_of(decision));
  }
  send(tick, shrinks);
}

void BalloonMover::grow_as_released(Tick& tick) {
  std::vector<PendingGrow> pending;
  for (Decision& decision : tick.decisions) {
    if (decision.grows()) pending.push_back({&decision, decision.actual});
  }
  // The first round needs no new sample: what the host had before the shrinks may be enough.
  std::optional<Snapshot> later;
  bool last = false;
  for (Duration waited{};; waited += kReleasePoll) {
    last = last || waited >= options_.release_wait;
    grow(tick, pending, later ? *later : tick.snapshot, last);
    if (last || pending.empty()) return;
    last = !clock_.sleep_for(kReleasePoll);
    if (Result<Snapshot> now = hypervisor_.sample()) {
      later = std::move(*now);
      later->reserves = tick.snapshot.reserves;
    } else {
      last = true;
    }
  }
}

void BalloonMover::grow(Tick& tick, std::vector<PendingGrow>& pending, const Snapshot& now,
                        bool last) {
  const std::size_t before = tick.outcomes.size();
  send(tick, next_steps(pending, now, last));
  drop_failed(pending, std::span(tick.outcomes).subspan(before));
}

std::vector<Move> BalloonMover::next_steps(std::vector<PendingGrow>& pending, const Snapshot& now,
                                           bool last) const {
  std::vector<Decision> wanted;
  wanted.reserve(pending.size());
  for (const PendingGrow& one : pending) wanted.push_back(*one.decision);
  const std::vector<Decision> settled = guard::settle(wanted, now, history_, options_.limits);
  const auto target_of = [&](std::size_t i) {
    return std::max(settled[i].target, pending[i].reached);
  };
  // As soon as one domain's step is worth a call, all domains take theirs. The guard shares out
  // what is left each time: a domain that waits for a larger step would lose its share to one
  // that has taken a part of its own already.
  bool all_step = last;
  for (std::size_t i = 0; i < pending.size() && !all_step; ++i) {
    const MemorySize reached = pending[i].reached;
    const MemorySize step = target_of(i) - reached;
    all_step = settled[i] != wanted[i] && !step.is_zero() &&
               step >= (wanted[i].target - reached) / kSmallestPart;
  }
  std::vector<Move> steps;
  std::vector<PendingGrow> left;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    auto [decision, reached] = pending[i];
    const MemorySize target = target_of(i);
    const bool whole = settled[i] == wanted[i];
    if (target > reached && (whole || all_step)) {
      steps.push_back({decision->domain, reached, target});
      reached = target;
    }
    if (whole || last) {
      *decision = settled[i];
      decision->target = target;
    } else {
      left.push_back({decision, reached});
    }
  }
  pending = std::move(left);
  return steps;
}

void BalloonMover::send(Tick& tick, const std::vector<Move>& moves) {
  if (moves.empty()) return;
  std::vector<Outcome> outcomes;
  if (options_.dry_run) {
    for (const Move& move : moves) {
      outcomes.push_back({move.domain, move.from, move.to, Outcome::Kind::dry_run, {}});
    }
  } else {
    outcomes = hypervisor_.apply(moves);
    // The journal stores this time, and a replay derives the wall time from it in the same way: its
    // history must see what this one sees.
    const MonotonicTime now = clock_.now();
    for (Outcome& outcome : outcomes) outcome.at = now;
    history_.record(outcomes, now, tick.snapshot.wall_time_at(now));
  }
  tick.outcomes.insert(tick.outcomes.end(), outcomes.begin(), outcomes.end());
}

void BalloonMover::record_late_outcomes(Tick& tick) {
  tick.late_outcomes = hypervisor_.drain_late_outcomes();
  const MonotonicTime now = clock_.now();
  for (Outcome& outcome : tick.late_outcomes) outcome.at = now;
  history_.settle(tick.late_outcomes, now, tick.snapshot.wall_time_at(now));
}

}  // namespace memcoord
