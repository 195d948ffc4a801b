#include "engine/core/coordinator.h"

#include <algorithm>
#include <utility>

#include "engine/core/evaluation.h"
#include "engine/core/guest_reports.h"
#include "engine/core/tick_rhythm.h"

namespace memcoord {
namespace {

/// Records the host's account and the domains without a fresh report.
void record_situation(Tick& tick, const Situation& situation) {
  tick.account = {
      situation.headroom(), situation.committed, situation.unbacked, situation.shortfall, {}, {},
      situation.reserved};
  for (const DomainView& view : situation.domains) {
    tick.account.reclaimable += view.reclaimable;
    tick.account.reclaimable_in_all += view.reclaimable_in_all;
    if (!view.has_fresh_report) tick.not_reporting.push_back(view.domain.uuid());
  }
}

std::optional<Duration> earliest(std::optional<Duration> a, std::optional<Duration> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

Coordinator::Coordinator(Hypervisor& hypervisor, Clock& clock, std::unique_ptr<Policy> policy,
                         CoordinatorOptions options)
    : hypervisor_(hypervisor),
      clock_(clock),
      policy_(std::move(policy)),
      options_(std::move(options)),
      history_(options_.history),
      mover_(hypervisor, clock, history_,
             {options_.limits, options_.dry_run, options_.release_wait}),
      filter_(options_.include, options_.exclude) {}

void Coordinator::replace_policy(std::unique_ptr<Policy> policy) {
  policy_ = std::move(policy);
  without_answer_ = 0;
}

void Coordinator::set_dry_run(bool on) {
  options_.dry_run = on;
  mover_.set_dry_run(on);
}

Tick Coordinator::tick() {
  Tick tick;
  wants_tick_ = false;
  tick.number = ++number_;
  tick.policy = policy_->name();
  tick.limits = options_.limits;
  tick.dry_run = options_.dry_run;
  tick.notes = std::exchange(notes_to_add_, {});
  ask_for_reports(tick);
  if (Status sampled = sample(tick); sampled) {
    notes_.begin_tick(history_, tick.snapshot.taken_at);
    notes_.add_dropped_figures(tick);
    notes_.add_unmatched(tick, filter_.unmatched(tick.snapshot));
    filter_.apply(tick.snapshot);
    evaluate(tick);
    move(tick);
    tick.again = earliest(tick.again, wish_of_engine(tick, history_));
    plan_reports(tick);
  } else {
    tick.sample_error = sampled.error();
    tick.snapshot.taken_at = clock_.now();
    tick.snapshot.wall_time = clock_.wall_now();
  }
  for (Note& note : hypervisor_.drain_notes()) tick.notes.push_back(std::move(note));
  notify_observers(tick);
  return tick;
}

/// Asks guests for reports, by the last tick's wishes. The time counts as part of the sample.
void Coordinator::ask_for_reports(Tick& tick) {
  const std::vector<RefreshWish> wishes = std::exchange(wishes_, {});
  if (wishes.empty() || !last_tick_at_) return;
  const MonotonicTime start = clock_.now();
  const RefreshRound round = refresh_budget_.choose(wishes, start, start - *last_tick_at_);
  if (round.domains.empty()) return;
  hypervisor_.refresh(round.domains, round.patience);
  tick.waited = tick.timings.sample = clock_.now() - start;
  refresh_budget_.record(round, tick.waited);
}

void Coordinator::plan_reports(const Tick& tick) {
  const std::vector<Uuid> asked = std::exchange(refresh_asked_, {});
  if (!options_.reports_on_demand) return;
  wishes_ = refresh_wishes({tick.snapshot, history_, options_.limits, asked, options_.interval});
}

/// The history observes the snapshot without figures that cannot be true.
Status Coordinator::sample(Tick& tick) {
  const MonotonicTime start = clock_.now();
  Result<Snapshot> snapshot = hypervisor_.sample();
  tick.timings.sample += clock_.now() - start;
  if (!snapshot) return fail(snapshot.error());
  tick.snapshot = std::move(*snapshot);
  for (Note& note : reserves_.apply(tick.snapshot)) tick.notes.push_back(std::move(note));
  mover_.record_late_outcomes(tick);
  tick.dropped = drop_impossible(tick.snapshot, history_);
  history_.observe(tick.snapshot);
  return {};
}

void Coordinator::evaluate(Tick& tick) {
  const MonotonicTime start = clock_.now();
  const MonotonicTime now = tick.snapshot.taken_at;
  const Duration since_last = last_tick_at_ ? now - *last_tick_at_ : Duration();
  last_tick_at_ = now;
  MonotonicTime answered = start;
  const auto ask_policy = [&](const Situation& situation) {
    note_skipped(tick, situation);
    ask_for_proposals(tick, situation);
    answered = clock_.now();
    return std::move(tick.proposals);
  };
  Evaluation evaluation = memcoord::evaluate(tick.snapshot, history_, ask_policy, options_.limits,
                                             {tick.number, since_last});
  tick.grantable = evaluation.situation.grantable;
  record_situation(tick, evaluation.situation);
  tick.proposals = std::move(evaluation.proposals);
  tick.decisions = std::move(evaluation.decisions);
  notes_.add_hints(tick, evaluation);
  tick.timings.decide = answered - start;
  tick.timings.review = clock_.now() - answered;
}

void Coordinator::note_skipped(Tick& tick, const Situation& situation) {
  for (const DomainView& view : situation.domains) {
    if (!view.skipped) continue;
    tick.skipped.push_back({view.domain.uuid(), view.skipped->rule, view.skipped->why});
    notes_.add_skipped(tick, view);
  }
}

void Coordinator::ask_for_proposals(Tick& tick, const Situation& situation) {
  ask(*policy_, situation, tick);
  without_answer_ = tick.policy_error ? without_answer_ + 1 : 0;
  if (without_answer_ < options_.patience) return;
  notes_.add(tick, {Note::Severity::error,
                    "policy " + policy_->name() + " has given no usable answer for " +
                        std::to_string(options_.patience) + " ticks in a row" +
                        (fallback_ ? "; " + fallback_->name() + " decides instead"
                                   : "; every balloon stays as it is until it answers")});
  if (!fallback_) return;
  const auto error = std::exchange(tick.policy_error, std::nullopt);
  ask(*fallback_, situation, tick);
  if (tick.policy_error) {
    notes_.add(tick, {Note::Severity::error, "fallback policy " + fallback_->name() +
                                                 " fails too: " + tick.policy_error->text()});
  } else {
    tick.fallback = fallback_->name();
  }
  tick.policy_error = error;
}

void Coordinator::ask(Policy& policy, const Situation& situation, Tick& tick) {
  Result<PolicyAnswer> answer = policy.decide(situation);
  if (!answer) {
    tick.policy_error = answer.error();
    return;
  }
  tick.proposals = std::move(answer->proposals);
  tick.again = answer->again;
  refresh_asked_ = std::move(answer->refresh);
  for (auto& line : answer->log) {
    tick.notes.push_back({line.severity, policy.name() + ": " + line.text});
  }
}

void Coordinator::move(Tick& tick) {
  const MonotonicTime start = clock_.now();
  mover_.apply(tick);
  tick.timings.apply = clock_.now() - start;
}

void Coordinator::notify_observers(const Tick& tick) {
  for (Observer* observer : observers_) observer->observe(tick);
}

Result<std::vector<Restored>> Coordinator::restore() {
  constexpr Duration kPoll = BalloonMover::kReleasePoll;
  Restoration restoration(mover_, history_, options_.limits);
  Duration idle{};
  for (Duration waited{}; history_.any_moved(); waited += kPoll, idle += kPoll) {
    Tick tick;
    if (Status sampled = sample(tick); !sampled) {
      if (waited == Duration()) return fail(sampled.error());
      break;  // domains keep what they have got back so far
    }
    const bool last = waited >= options_.restore_wait || idle >= options_.release_wait;
    restoration.step(tick, last);
    if (last || restoration.is_over()) break;
    if (restoration.may_progress(tick)) idle = {};
    clock_.sleep_through(kPoll);
  }
  auto [domains, tick] = restoration.finish();
  if (!tick.decisions.empty() || !tick.late_outcomes.empty()) {
    tick.number = ++number_;
    tick.policy = policy_->name();
    tick.limits = options_.limits;
    tick.dry_run = options_.dry_run;
    tick.restoring = true;
    notify_observers(tick);
  }
  return std::move(domains);
}

}  // namespace memcoord
