#include "engine/core/coordinator.h"

#include <algorithm>

#include "engine/core/believable.h"
#include "engine/core/glob.h"
#include "engine/core/own_proposals.h"

namespace memcoord {
namespace {

constexpr Duration kReleasePoll = std::chrono::milliseconds(100);
/// A grow that waits is made in steps, none of less than this part of what it still lacks.
constexpr std::uint64_t kWorthAStep = 4;
/// What a balloon keeps when a rebooted guest gets its memory back. A driver that finds an empty
/// balloon as it loads says nothing, and QEMU goes on telling the size from before the reboot.
constexpr MemorySize kLeftInBalloon = MemorySize::from_mib(1);

bool any_matches(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return glob_matches(glob, name); });
}

bool any_grows(const std::vector<Decision>& decisions) {
  return std::any_of(decisions.begin(), decisions.end(),
                     [](const Decision& decision) { return decision.grows(); });
}

bool any_shrinks(const std::vector<Decision>& decisions) {
  return std::any_of(decisions.begin(), decisions.end(),
                     [](const Decision& decision) { return decision.shrinks(); });
}

std::string ticks_text(int n) {
  return std::to_string(n) + " ticks in a row";
}

}  // namespace

Coordinator::Coordinator(Hypervisor& hypervisor, Clock& clock, std::unique_ptr<Policy> policy,
                         CoordinatorOptions options)
    : hypervisor_(hypervisor),
      clock_(clock),
      policy_(std::move(policy)),
      options_(std::move(options)),
      history_(options_.history) {}

void Coordinator::replace_policy(std::unique_ptr<Policy> policy) {
  policy_ = std::move(policy);
  without_answer_ = 0;
}

Tick Coordinator::tick() {
  Tick tick;
  tick.number = ++number_;
  tick.policy = policy_->name();
  tick.limits = options_.limits;
  tick.dry_run = options_.dry_run;

  sample(tick);
  if (!tick.sample_error) {
    const MonotonicTime now = tick.snapshot.taken_at;
    decide(tick, last_tick_at_ ? now - *last_tick_at_ : Duration());
    last_tick_at_ = now;
    apply(tick);
  }
  for (Note& note : hypervisor_.take_notes()) tick.notes.push_back(std::move(note));
  for (Observer* observer : observers_) observer->observe(tick);
  return tick;
}

void Coordinator::sample(Tick& tick) {
  const MonotonicTime start = clock_.now();
  Result<Snapshot> snapshot = hypervisor_.sample();
  tick.timings.sample = clock_.now() - start;
  if (!snapshot) {
    tick.sample_error = snapshot.error();
    return;
  }
  tick.snapshot = std::move(*snapshot);
  settle(tick);
  observe(tick);
  forget_the_gone();
  tell_what_is_dropped(tick);
  leave_out_unwanted(tick.snapshot);
}

void Coordinator::observe(Tick& tick) {
  tick.dropped = drop_impossible(tick.snapshot, history_);
  history_.observe(tick.snapshot);
}

void Coordinator::tell_what_is_dropped(Tick& tick) {
  for (const DroppedFigure& figure : tick.dropped) {
    if (!told_of_dropped_.insert(figure.domain).second) continue;
    const Domain* domain = tick.snapshot.find(figure.domain);
    tick.notes.push_back({Note::Severity::warning,
                          domain->name() + ": reports " + figure.figure + " = " +
                              std::to_string(figure.value) + ", which " + figure.why +
                              "; memcoord decides without such figures, and counts them in the "
                              "journal (dropped)"});
  }
}

void Coordinator::settle(Tick& tick) {
  tick.late_outcomes = hypervisor_.take_late_outcomes();
  const MonotonicTime now = clock_.now();
  for (Outcome& outcome : tick.late_outcomes) outcome.at = now;
  history_.settle(tick.late_outcomes, now, tick.snapshot.wall_time_at(now));
}

void Coordinator::leave_out_unwanted(Snapshot& snapshot) {
  if (options_.include.empty() && options_.exclude.empty()) return;
  for (Domain& domain : snapshot.domains) {
    const bool wanted =
        (options_.include.empty() || any_matches(options_.include, domain.name())) &&
        !any_matches(options_.exclude, domain.name());
    if (wanted || !domain.identity->unsuitable.empty()) continue;
    LeftOut& known = left_out_[domain.uuid()];
    if (known.from != domain.identity) {
      DomainIdentity left_out = *domain.identity;
      left_out.unsuitable = any_matches(options_.exclude, domain.name())
                                ? "excluded by --exclude"
                                : "not among those of --include";
      known = {domain.identity, std::make_shared<const DomainIdentity>(std::move(left_out))};
    }
    domain.identity = known.to;
  }
}

void Coordinator::decide(Tick& tick, Duration since_last) {
  const MonotonicTime start = clock_.now();
  const guard::HostBalance host = guard::balance(tick.snapshot, history_, options_.limits);
  const Situation situation{
      tick.snapshot,  options_.limits, guard::assess(tick.snapshot, history_, options_.limits),
      host.grantable, tick.number,     since_last,
      host.owed,      host.rescue};
  tick.grantable = situation.grantable;
  note_who_is_held(tick, situation.standings);
  ask_for_proposals(tick, situation);
  tick.timings.decide = clock_.now() - start;

  const MonotonicTime review_start = clock_.now();
  prefer(tick.proposals, own_proposals(situation, tick.proposals));
  prefer(tick.proposals, after_reboots(situation));
  tick.decisions = guard::review(tick.snapshot, history_, tick.proposals, options_.limits, host);
  for (guard::Hint& hint : guard::hints(tick.snapshot, tick.grantable, options_.limits)) {
    if (said_.is_news(hint.topic)) tick.notes.push_back(std::move(hint.note));
  }
  tick.timings.review = clock_.now() - review_start;
}

void Coordinator::ask_for_proposals(Tick& tick, const Situation& situation) {
  ask(*policy_, situation, tick);
  without_answer_ = tick.policy_error ? without_answer_ + 1 : 0;
  if (without_answer_ < options_.patience) return;
  say(tick,
      {Note::Severity::error, "policy " + policy_->name() + " has given no usable answer for " +
                                  ticks_text(options_.patience) +
                                  (fallback_ ? "; " + fallback_->name() + " decides instead"
                                             : "; every balloon stays as it is until it does")});
  if (fallback_) ask(*fallback_, situation, tick);
}

void Coordinator::ask(Policy& policy, const Situation& situation, Tick& tick) {
  Result<PolicyAnswer> answer = policy.decide(situation);
  if (!answer) {
    tick.policy_error = answer.error();
    return;
  }
  tick.proposals = std::move(answer->proposals);
  for (auto& line : answer->log) {
    tick.notes.push_back({line.severity, policy.name() + ": " + line.text});
  }
}

std::vector<Proposal> Coordinator::after_reboots(const Situation& situation) const {
  std::vector<Proposal> proposals;
  const Snapshot& snapshot = situation.snapshot;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Standing& standing = situation.standings[i];
    const DomainHistory* past = standing.history;
    if (!past || !past->rebooted_at() || !(past->last_move() || past->in_doubt())) continue;
    // The guest's device keeps the old target over a reboot and squeezes the new kernel to it. As
    // long as it has not reported, nothing can be done; once it has, this is asked for until a
    // target has been set, or until the guest has settled with what it has.
    if (past->last_move() && past->last_move()->at >= *past->rebooted_at()) continue;
    if (standing.held || snapshot.taken_at - *past->rebooted_at() >= options_.limits.grace)
      continue;
    const Domain& domain = snapshot.domains[i];
    const MemorySize had = std::min(domain.settings().maximum.value_or(domain.maximum),
                                    domain.maximum - kLeftInBalloon);
    if (domain.actual >= had) continue;
    proposals.push_back(
        {domain.uuid(), had, "rebooted: gets its memory back until it has settled"});
  }
  return proposals;
}

void Coordinator::apply(Tick& tick) {
  const MonotonicTime start = clock_.now();
  const bool waits = any_shrinks(tick.decisions) && any_grows(tick.decisions);
  apply_some(tick, tick.decisions, true);
  if (waits && !options_.dry_run) {
    grow_as_released(tick);
  } else {
    apply_some(tick, tick.decisions, false);
  }
  tick.timings.apply = clock_.now() - start;
}

void Coordinator::grow_as_released(Tick& tick) {
  std::vector<Waiting> waiting;
  for (Decision& decision : tick.decisions) {
    if (decision.grows()) waiting.push_back({&decision, decision.actual});
  }
  // What the host had before the shrinks may be enough.
  std::optional<Snapshot> later;
  bool last = false;
  for (Duration waited{};; waited += kReleasePoll) {
    last = last || waited >= options_.release_wait;
    const std::size_t before = tick.outcomes.size();
    move(tick, take_ready(waiting, later ? *later : tick.snapshot, last));
    drop_failed(waiting, std::span(tick.outcomes).subspan(before));
    if (last || waiting.empty()) return;
    last = !clock_.sleep_for(kReleasePoll);
    if (Result<Snapshot> now = hypervisor_.sample()) {
      later = std::move(*now);
    } else {
      last = true;
    }
  }
}

void Coordinator::drop_failed(std::vector<Waiting>& waiting, std::span<const Outcome> outcomes) {
  std::unordered_set<Uuid> failed;
  for (const Outcome& outcome : outcomes) {
    if (outcome.kind != Outcome::Kind::applied) failed.insert(outcome.domain);
  }
  if (failed.empty()) return;
  std::erase_if(waiting, [&](const Waiting& one) { return failed.contains(one.decision->domain); });
}

std::vector<Move> Coordinator::take_ready(std::vector<Waiting>& waiting, const Snapshot& seen,
                                          bool last) const {
  std::vector<Decision> wanted;
  wanted.reserve(waiting.size());
  for (const Waiting& one : waiting) wanted.push_back(*one.decision);
  const auto settled = guard::settle(wanted, seen, history_, options_.limits);
  std::vector<Move> ready;
  std::vector<Waiting> left;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    auto [decision, reached] = waiting[i];
    const MemorySize target = std::max(settled[i].target, reached);
    const bool whole = settled[i] == wanted[i];
    const bool worth_it = target - reached >= (decision->target - reached) / kWorthAStep;
    if (target > reached && (whole || last || worth_it)) {
      ready.push_back({decision->domain, reached, target});
      reached = target;
    }
    if (whole || last) {
      *decision = settled[i];
      decision->target = target;
    } else {
      left.push_back({decision, reached});
    }
  }
  waiting = std::move(left);
  return ready;
}

void Coordinator::apply_some(Tick& tick, const std::vector<Decision>& decisions, bool shrinks) {
  std::vector<Move> moves;
  for (const Decision& decision : decisions) {
    if (shrinks ? !decision.shrinks() : !decision.grows()) continue;
    moves.push_back({decision.domain, decision.actual, decision.target});
  }
  move(tick, moves);
}

void Coordinator::move(Tick& tick, const std::vector<Move>& moves) {
  if (moves.empty()) return;
  std::vector<Outcome> outcomes;
  if (options_.dry_run) {
    for (const Move& move : moves) {
      outcomes.push_back({move.domain, move.from, move.to, Outcome::Kind::dry_run, {}});
    }
  } else {
    outcomes = hypervisor_.apply(moves);
    // The journal has this time too, and the wall's by the same reckoning: a replay's history is to
    // see what this one sees.
    const MonotonicTime now = clock_.now();
    for (Outcome& outcome : outcomes) outcome.at = now;
    history_.record(outcomes, now, tick.snapshot.wall_time_at(now));
  }
  tick.outcomes.insert(tick.outcomes.end(), outcomes.begin(), outcomes.end());
}

Result<std::vector<Restored>> Coordinator::restore() {
  std::vector<Restoring> all;
  Duration idle{};
  for (Duration waited{}; history_.any_moved(); waited += kReleasePoll, idle += kReleasePoll) {
    Result<Snapshot> snapshot = hypervisor_.sample();
    if (!snapshot && all.empty()) return fail(snapshot.error());
    if (!snapshot) break;  // what has been reached stays
    Tick tick;
    tick.snapshot = std::move(*snapshot);
    settle(tick);
    observe(tick);
    if (waited == Duration()) all = to_restore(tick.snapshot);
    settle_restored(tick, all);
    const bool last = waited >= options_.restore_wait || idle >= options_.release_wait;
    restore_some(tick, all, last);
    if (last || std::all_of(all.begin(), all.end(), [](const auto& one) { return one.over; })) {
      break;
    }
    if (more_may_come(tick, all)) idle = {};
    clock_.sleep_through(kReleasePoll);
  }
  std::vector<Restored> results;
  results.reserve(all.size());
  for (Restoring& one : all) {
    const DomainHistory* past = history_.find(one.result.domain);
    if (past != nullptr && past->in_doubt()) {
      one.result.in_doubt = true;
      one.result.why = "its balloon change to " + past->in_doubt()->target.text() +
                       " has not been answered, and may still be carried out";
    }
    results.push_back(std::move(one.result));
  }
  return results;
}

std::vector<Coordinator::Restoring> Coordinator::to_restore(const Snapshot& snapshot) const {
  std::vector<Restoring> all;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Domain& domain = snapshot.domains[i];
    const DomainHistory& past = *history_.find(domain.uuid(), i);
    const auto& had = past.before_first_move();
    if (!had) continue;
    const bool over = *had == domain.actual && !past.in_doubt();
    all.push_back({{domain.uuid(), domain.name(), *had, domain.actual, {}, false}, over});
  }
  return all;
}

/// A balloon that a late answer has moved is brought back from there.
void Coordinator::settle_restored(const Tick& tick, std::vector<Restoring>& all) const {
  for (Restoring& one : all) {
    for (const Outcome& late : tick.late_outcomes) {
      if (late.domain != one.result.domain) continue;
      if (late.kind == Outcome::Kind::applied) one.result.has = late.to;
      one.over = one.result.has == one.result.had;
    }
  }
}

void Coordinator::restore_some(Tick& tick, std::vector<Restoring>& all, bool last) {
  const std::string why = "gets back the memory it had";
  std::unordered_map<Uuid, Restoring*> open;
  std::vector<Proposal> shrinks;
  std::vector<Decision> grows;
  for (Restoring& one : all) {
    if (one.over) continue;
    const Restored& to = one.result;
    open.emplace(to.domain, &one);
    if (to.had < to.has) shrinks.push_back({to.domain, to.had, why});
    if (to.had > to.has) grows.push_back({to.domain, to.has, to.had, to.had, why, {}});
  }
  // What a domain has come to need is not taken from it at a stroke: shrinks go through the guard.
  tick.decisions = guard::review(tick.snapshot, history_, shrinks, options_.limits);
  apply_some(tick, tick.decisions, true);
  for (const Decision& decision : tick.decisions) {
    Restoring& one = *open.at(decision.domain);
    one.result.why = decision.rules.empty() ? "" : decision.rules.back().why;
    one.over = !more_can_be_taken(decision);
  }
  // A grow back to what it had can harm nobody but the host, and waits for no report.
  std::vector<Waiting> waiting;
  waiting.reserve(grows.size());
  for (Decision& grow : grows) waiting.push_back({&grow, grow.actual});
  move(tick, take_ready(waiting, tick.snapshot, last));
  for (const Decision& grow : grows) {
    if (!grow.rules.empty()) open.at(grow.domain)->result.why = grow.rules.back().why;
  }
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

/// Whether the guard lets a restored domain shrink further once its guest reports.
bool Coordinator::more_can_be_taken(const Decision& decision) const {
  if (decision.rules.empty()) return false;
  const Rule rule = decision.rules.back().rule;
  const DomainHistory* past = history_.find(decision.domain);
  return rule == Rule::gradual ||
         (rule == Rule::fresh_stats && past != nullptr && !past->reported_since_move());
}

/// Whether something was set, is to be taken yet, or is on its way back to the host.
bool Coordinator::more_may_come(const Tick& tick, const std::vector<Restoring>& all) const {
  const auto applied = [](const Outcome& outcome) {
    return outcome.kind == Outcome::Kind::applied;
  };
  const auto shrinks = [](const Restoring& one) {
    return !one.over && one.result.had < one.result.has;
  };
  const auto deflates = [&](const Domain& domain) {
    const DomainHistory* past = history_.find(domain.uuid());
    const auto& told = past->last_move();
    return told && told->target < told->from && !told->reached && !past->ignores_shrinks();
  };
  return std::any_of(tick.outcomes.begin(), tick.outcomes.end(), applied) ||
         std::any_of(all.begin(), all.end(), shrinks) ||
         std::any_of(tick.snapshot.domains.begin(), tick.snapshot.domains.end(), deflates);
}

std::size_t Coordinator::remembered() const {
  return history_.size() + left_out_.size() + said_.size() + told_of_dropped_.size();
}

void Coordinator::say(Tick& tick, Note note, const std::optional<Uuid>& about) {
  if (said_.is_news(note.text, about)) tick.notes.push_back(std::move(note));
}

void Coordinator::note_who_is_held(Tick& tick, const std::vector<Standing>& standings) {
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const auto& held = standings[i].held;
    if (!held) continue;
    const Domain& domain = tick.snapshot.domains[i];
    tick.held.push_back({domain.uuid(), held->rule, held->why});
    // Waiting for a report, or being paused, is everyday life; the table shows it.
    if (held->rule && domain.state != DomainState::hung) continue;
    say(tick,
        {held->rule ? Note::Severity::warning : Note::Severity::info,
         domain.name() + ": left alone: " + held->why},
        domain.uuid());
  }
}

/// What is gone from this observation, or was started again, begins anew when it comes back.
void Coordinator::forget_the_gone() {
  const auto gone = [&](const Uuid& uuid) {
    const DomainHistory* past = history_.find(uuid);
    return past == nullptr || past->is_new();
  };
  std::erase_if(left_out_, [&](const auto& entry) { return gone(entry.first); });
  std::erase_if(told_of_dropped_, gone);
  said_.begin_turn(gone);
}

}  // namespace memcoord
