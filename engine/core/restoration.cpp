#include "engine/core/restoration.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "engine/core/guard.h"

namespace memcoord {
namespace {

constexpr const char* kGivenBack = "gets back the memory it had";

void append(std::vector<Outcome>& all, const std::vector<Outcome>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

/// The grow that the guard allows a domain, whatever the host can give now. `decision` is the
/// guard's on the balloon's current size; the result goes from the target that is set to the size
/// the domain had, because the balloon itself may be on its way.
Decision allowed_back(const Restored& to, Decision decision) {
  const auto ends_with = [&](std::initializer_list<Rule> rules) {
    return !decision.rules.empty() &&
           std::find(rules.begin(), rules.end(), decision.rules.back().rule) != rules.end();
  };
  // BalloonMover::grow() asks the guard about the host's memory itself, again in each round.
  while (ends_with({Rule::numa_floor, Rule::host_floor, Rule::share_out})) {
    decision.target = decision.rules.back().before;
    decision.rules.pop_back();
  }
  const bool above = to.had <= decision.actual;  // a shrink is set and has not got there yet
  const bool refused = decision.holds() && !decision.rules.empty() &&
                       (!above || ends_with({Rule::running_only, Rule::sane_target}));
  if (refused) decision.target = to.has;
  if (above && !refused) {
    decision.target = to.had;
    decision.rules.clear();
  }
  decision.actual = to.has;
  decision.target = std::max(decision.target, to.has);
  return decision;
}

}  // namespace

void Restoration::step(Tick& tick, bool last) {
  if (!begun_) begin(tick.snapshot);
  follow_late_outcomes(tick);
  const Open open = open_ones();
  std::vector<Decision> grows;
  for (Decision& decision : review(tick.snapshot, open)) {
    (decision.grows() ? grows : tick.decisions).push_back(std::move(decision));
  }
  mover_.shrink(tick);
  std::vector<PendingGrow> pending;
  pending.reserve(grows.size());
  for (Decision& grow : grows) pending.push_back({&grow, grow.actual});
  mover_.grow(tick, pending, tick.snapshot, last);
  for (const Decision& grow : grows) {
    if (grow.rules.empty()) continue;
    Restoring& one = *open.at(grow.domain);
    one.result.why = grow.rules.back().why;
    one.record.rules = grow.rules;
  }
  follow_outcomes(tick, open);
  append(record_.outcomes, tick.outcomes);
  append(record_.late_outcomes, tick.late_outcomes);
}

void Restoration::begin(const Snapshot& snapshot) {
  begun_ = true;
  record_.snapshot = snapshot;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Domain& domain = snapshot.domains[i];
    const BalloonTracker& balloon = history_.of(domain, i).balloon;
    const auto& had = balloon.before_first_move();
    if (!had) continue;
    const bool over = *had == domain.actual && !balloon.in_doubt();
    all_.push_back({{domain.uuid(), domain.name(), *had, domain.actual, {}, false},
                    over,
                    {domain.uuid(), domain.actual, *had, *had, kGivenBack, {}}});
  }
}

/// A late answer may show that a balloon was moved after all: the way back starts at that target.
void Restoration::follow_late_outcomes(const Tick& tick) {
  for (Restoring& one : all_) {
    for (const Outcome& late : tick.late_outcomes) {
      if (late.domain != one.result.domain) continue;
      if (late.kind == Outcome::Kind::applied) one.result.has = late.to;
      one.over = one.result.has == one.result.had;
    }
  }
}

Restoration::Open Restoration::open_ones() {
  Open open;
  for (Restoring& one : all_) {
    if (!one.over) open.emplace(one.result.domain, &one);
  }
  return open;
}

std::vector<Decision> Restoration::review(const Snapshot& snapshot, const Open& open) {
  std::vector<Proposal> proposals;
  for (const Restoring& one : all_) {
    const Restored& to = one.result;
    if (!one.over && to.had != to.has) proposals.push_back({to.domain, to.had, kGivenBack});
  }
  std::vector<Decision> decisions =
      guard::review(snapshot, history_, proposals, limits_, guard::Freshness::of_shrinks);
  for (Decision& decision : decisions) {
    Restoring& one = *open.at(decision.domain);
    if (one.result.had > one.result.has) {
      decision = allowed_back(one.result, std::move(decision));
      one.over = decision.holds();
    } else {
      one.over = !may_shrink_further(decision);
    }
    one.result.why = decision.rules.empty() ? "" : decision.rules.back().why;
    one.record.rules = decision.rules;
  }
  return decisions;
}

void Restoration::follow_outcomes(const Tick& tick, const Open& open) {
  for (const Outcome& outcome : tick.outcomes) {
    Restoring& one = *open.at(outcome.domain);
    if (outcome.kind == Outcome::Kind::applied) {
      one.result.has = outcome.to;
      one.over = one.over || one.result.whole();
    } else {
      one.result.why = outcome.error ? outcome.error->message : std::string(to_text(outcome.kind));
      one.over = true;
    }
  }
}

bool Restoration::is_over() const {
  return std::all_of(all_.begin(), all_.end(), [](const Restoring& one) { return one.over; });
}

/// Whether the guard allows another shrink once the guest has reported.
bool Restoration::may_shrink_further(const Decision& decision) const {
  if (decision.rules.empty()) return false;
  const Rule rule = decision.rules.back().rule;
  const DomainHistory* past = history_.find(decision.domain);
  return rule == Rule::gradual ||
         (rule == Rule::fresh_stats && past != nullptr && !past->balloon.reported_since_move());
}

bool Restoration::may_progress(const Tick& tick) const {
  const auto applied = [](const Outcome& outcome) {
    return outcome.kind == Outcome::Kind::applied;
  };
  const auto shrinks = [](const Restoring& one) {
    return !one.over && one.result.had < one.result.has;
  };
  const auto releases = [&](const Domain& domain) {
    const BalloonTracker& balloon = history_.find(domain.uuid())->balloon;
    const auto& move = balloon.last_move();
    return move && move->shrinks() && !move->reached && !balloon.ignores_shrinks();
  };
  return std::any_of(tick.outcomes.begin(), tick.outcomes.end(), applied) ||
         std::any_of(all_.begin(), all_.end(), shrinks) ||
         std::any_of(tick.snapshot.domains.begin(), tick.snapshot.domains.end(), releases);
}

Restoration::Result Restoration::finish() {
  Result result;
  for (Restoring& one : all_) {
    const DomainHistory* past = history_.find(one.result.domain);
    if (past != nullptr && past->balloon.in_doubt()) {
      one.result.in_doubt = true;
      one.result.why = "its balloon change to " +
                       past->balloon.in_doubt()->target.text(limits_.units) +
                       " has not been answered, and may still be carried out";
    }
    one.record.target = one.result.has;
    const bool unchanged = one.record.holds() && one.record.rules.empty();
    if (!unchanged) record_.decisions.push_back(std::move(one.record));
    result.domains.push_back(std::move(one.result));
  }
  result.tick = std::move(record_);
  return result;
}

}  // namespace memcoord
