#include "engine/core/coordinator.h"

#include <algorithm>
#include <initializer_list>

#include "engine/core/evaluation.h"
#include "engine/core/glob.h"
#include "engine/core/guest_reports.h"

namespace memcoord {
namespace {

/// While domains wait for their next report they give nothing, for a tick or two.
constexpr int kTicksOfWaiting = 3;
constexpr Duration kReleasePoll = std::chrono::milliseconds(100);
constexpr const char* kGivenBack = "gets back the memory it had";
/// A grow that waits is made in steps, none of less than this part of what it still lacks.
constexpr std::uint64_t kWorthAStep = 4;

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

void append(std::vector<Outcome>& all, const std::vector<Outcome>& more) {
  all.insert(all.end(), more.begin(), more.end());
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
  MonotonicTime answered = start;
  const auto ask_policy = [&](const Situation& situation) {
    note_who_is_held(tick, situation.domains);
    ask_for_proposals(tick, situation);
    answered = clock_.now();
    return std::move(tick.proposals);
  };
  Evaluation evaluation =
      evaluate(tick.snapshot, history_, ask_policy, options_.limits, {tick.number, since_last});
  tick.grantable = evaluation.situation.grantable;
  tick.proposals = std::move(evaluation.proposals);
  tick.decisions = std::move(evaluation.decisions);
  for (Hint& hint : evaluation.hints) {
    if (said_.is_news(hint.topic)) tick.notes.push_back(std::move(hint.note));
  }
  if (auto& hint = evaluation.beyond_rescue) {
    const bool lasts = ++beyond_rescue_ >= kTicksOfWaiting;
    if (lasts && said_.is_news(hint->topic)) tick.notes.push_back(std::move(hint->note));
  } else {
    beyond_rescue_ = 0;
  }
  tick.timings.decide = answered - start;
  tick.timings.review = clock_.now() - answered;
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
  Tick told;
  Duration idle{};
  for (Duration waited{}; history_.any_moved(); waited += kReleasePoll, idle += kReleasePoll) {
    Result<Snapshot> snapshot = hypervisor_.sample();
    if (!snapshot && all.empty()) return fail(snapshot.error());
    if (!snapshot) break;  // what has been reached stays
    Tick tick;
    tick.snapshot = std::move(*snapshot);
    settle(tick);
    observe(tick);
    if (waited == Duration()) {
      all = to_restore(tick.snapshot);
      told.snapshot = tick.snapshot;
    }
    settle_restored(tick, all);
    const bool last = waited >= options_.restore_wait || idle >= options_.release_wait;
    restore_some(tick, all, last);
    append(told.outcomes, tick.outcomes);
    append(told.late_outcomes, tick.late_outcomes);
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
    if (past != nullptr && past->balloon.in_doubt()) {
      one.result.in_doubt = true;
      one.result.why = "its balloon change to " +
                       past->balloon.in_doubt()->target.text(options_.limits.units) +
                       " has not been answered, and may still be carried out";
    }
    one.told.target = one.result.has;
    const bool as_it_was = one.told.holds() && one.told.rules.empty();
    if (!as_it_was) told.decisions.push_back(std::move(one.told));
    results.push_back(std::move(one.result));
  }
  if (!told.decisions.empty() || !told.late_outcomes.empty()) tell_restored(std::move(told));
  return results;
}

void Coordinator::tell_restored(Tick told) {
  told.number = ++number_;
  told.policy = policy_->name();
  told.limits = options_.limits;
  told.dry_run = options_.dry_run;
  told.restoring = true;
  for (Observer* observer : observers_) observer->observe(told);
}

std::vector<Coordinator::Restoring> Coordinator::to_restore(const Snapshot& snapshot) const {
  std::vector<Restoring> all;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Domain& domain = snapshot.domains[i];
    const BalloonTracker& balloon = history_.of(domain, i).balloon;
    const auto& had = balloon.before_first_move();
    if (!had) continue;
    const bool over = *had == domain.actual && !balloon.in_doubt();
    all.push_back({{domain.uuid(), domain.name(), *had, domain.actual, {}, false},
                   over,
                   {domain.uuid(), domain.actual, *had, *had, kGivenBack, {}}});
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
  std::unordered_map<Uuid, Restoring*> open;
  std::vector<Proposal> proposals;
  for (Restoring& one : all) {
    const Restored& to = one.result;
    if (one.over) continue;
    open.emplace(to.domain, &one);
    if (to.had != to.has) proposals.push_back({to.domain, to.had, kGivenBack});
  }
  std::vector<Decision> grows;
  for (Decision& decision : guard::review(tick.snapshot, history_, proposals, options_.limits,
                                          guard::Freshness::of_shrinks)) {
    Restoring& one = *open.at(decision.domain);
    if (one.result.had > one.result.has) {
      decision = allowed_back(one.result, std::move(decision));
      one.over = decision.holds();
    } else {
      one.over = !more_can_be_taken(decision);
    }
    one.result.why = decision.rules.empty() ? "" : decision.rules.back().why;
    one.told.rules = decision.rules;
    (decision.grows() ? grows : tick.decisions).push_back(std::move(decision));
  }
  apply_some(tick, tick.decisions, true);
  std::vector<Waiting> waiting;
  waiting.reserve(grows.size());
  for (Decision& grow : grows) waiting.push_back({&grow, grow.actual});
  move(tick, take_ready(waiting, tick.snapshot, last));
  for (const Decision& grow : grows) {
    if (grow.rules.empty()) continue;
    Restoring& one = *open.at(grow.domain);
    one.result.why = grow.rules.back().why;
    one.told.rules = grow.rules;
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

/// The decision goes from the target that the balloon has on to what it had: the balloon itself may
/// be on its way.
Decision Coordinator::allowed_back(const Restored& to, Decision decision) {
  const auto is_last = [&](std::initializer_list<Rule> rules) {
    return !decision.rules.empty() &&
           std::find(rules.begin(), rules.end(), decision.rules.back().rule) != rules.end();
  };
  // take_ready() looks at the host itself, and again as memory comes back.
  while (is_last({Rule::numa_floor, Rule::host_floor, Rule::share_out})) {
    decision.target = decision.rules.back().before;
    decision.rules.pop_back();
  }
  const bool above = to.had <= decision.actual;  // no shrink has got there yet
  const bool refused = decision.holds() && !decision.rules.empty() &&
                       (!above || is_last({Rule::running_only, Rule::sane_target}));
  if (refused) decision.target = to.has;
  if (above && !refused) {
    decision.target = to.had;
    decision.rules.clear();
  }
  decision.actual = to.has;
  decision.target = std::max(decision.target, to.has);
  return decision;
}

/// Whether the guard lets a restored domain shrink further once its guest reports.
bool Coordinator::more_can_be_taken(const Decision& decision) const {
  if (decision.rules.empty()) return false;
  const Rule rule = decision.rules.back().rule;
  const DomainHistory* past = history_.find(decision.domain);
  return rule == Rule::gradual ||
         (rule == Rule::fresh_stats && past != nullptr && !past->balloon.reported_since_move());
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
    const BalloonTracker& balloon = history_.find(domain.uuid())->balloon;
    const auto& told = balloon.last_move();
    return told && told->shrinks() && !told->reached && !balloon.ignores_shrinks();
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

void Coordinator::note_who_is_held(Tick& tick, std::span<const DomainView> domains) {
  for (const DomainView& view : domains) {
    const auto& skipped = view.skipped;
    if (!skipped) continue;
    const Domain& domain = view.domain;
    tick.held.push_back({domain.uuid(), skipped->rule, skipped->why});
    // Waiting for a report, or being paused, is everyday life; the table shows it.
    if (skipped->rule && domain.state != DomainState::hung) continue;
    say(tick,
        {skipped->rule ? Note::Severity::warning : Note::Severity::info,
         domain.name() + ": left alone: " + skipped->why},
        domain.uuid());
  }
}

/// What is gone from this observation, or was started again, begins anew when it comes back.
void Coordinator::forget_the_gone() {
  const auto gone = [&](const Uuid& uuid) {
    const DomainHistory* past = history_.find(uuid);
    return past == nullptr || past->balloon.is_new();
  };
  std::erase_if(left_out_, [&](const auto& entry) { return gone(entry.first); });
  std::erase_if(told_of_dropped_, gone);
  said_.begin_turn(gone);
}

}  // namespace memcoord
