#include "engine/core/coordinator.h"

#include <algorithm>

#include "engine/core/glob.h"

namespace memcoord {
namespace {

/// A note that has not been true for so many ticks may be said again.
constexpr std::uint64_t kForgetAfterTicks = 100;
constexpr std::size_t kRemembered = 10'000;
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

/// What the engine itself asks for takes the place of what the policy asks for the same domains.
void prefer_own(std::vector<Proposal>& proposals, const std::vector<Proposal>& own) {
  if (own.empty()) return;
  std::erase_if(proposals, [&](const Proposal& proposal) {
    return std::any_of(own.begin(), own.end(),
                       [&](const Proposal& mine) { return mine.domain == proposal.domain; });
  });
  proposals.insert(proposals.end(), own.begin(), own.end());
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
  leave_out_unwanted(tick.snapshot);
  history_.observe(tick.snapshot);
  forget_the_gone();
}

void Coordinator::leave_out_unwanted(Snapshot& snapshot) {
  if (options_.include.empty() && options_.exclude.empty()) return;
  for (Domain& domain : snapshot.domains) {
    const bool wanted =
        (options_.include.empty() || any_matches(options_.include, domain.name())) &&
        !any_matches(options_.exclude, domain.name());
    if (wanted || !domain.identity->unsuitable.empty()) continue;
    auto& identity = left_out_[domain.uuid()];
    if (!identity || identity->name != domain.name()) {
      DomainIdentity left_out = *domain.identity;
      left_out.unsuitable = any_matches(options_.exclude, domain.name())
                                ? "excluded by --exclude"
                                : "not among those of --include";
      identity = std::make_shared<const DomainIdentity>(std::move(left_out));
    }
    domain.identity = identity;
  }
}

void Coordinator::decide(Tick& tick, Duration since_last) {
  const MonotonicTime start = clock_.now();
  const guard::HostBalance host = guard::balance(tick.snapshot, history_, options_.limits);
  const Situation situation{
      tick.snapshot,  options_.limits, guard::assess(tick.snapshot, history_, options_.limits),
      host.grantable, tick.number,     since_last,
      host.owed};
  tick.grantable = situation.grantable;
  note_who_is_held(tick, situation.standings);
  ask_for_proposals(tick, situation);
  tick.timings.decide = clock_.now() - start;

  const MonotonicTime review_start = clock_.now();
  prefer_own(tick.proposals, after_reboots(situation));
  tick.decisions = guard::review(tick.snapshot, history_, tick.proposals, options_.limits);
  for (Note& hint : guard::hints(tick.snapshot, tick.decisions, options_.limits)) {
    say(tick, std::move(hint));
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
    if (!past || !past->rebooted_at() || !past->last_move()) continue;
    // The guest's device keeps the old target over a reboot and squeezes the new kernel to it. As
    // long as it has not reported, nothing can be done; once it has, this is asked for until a
    // target has been set, or until the guest has settled with what it has.
    if (past->last_move()->at >= *past->rebooted_at()) continue;
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
    move(tick, take_ready(waiting, later ? *later : tick.snapshot, last));
    if (last || waiting.empty()) return;
    last = !clock_.sleep_for(kReleasePoll);
    if (Result<Snapshot> now = hypervisor_.sample()) {
      later = std::move(*now);
    } else {
      last = true;
    }
  }
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
    history_.record(outcomes, clock_.now(), clock_.wall_now());
  }
  for (const Outcome& outcome : outcomes) {
    if (outcome.kind == Outcome::Kind::applied) {
      before_first_move_.try_emplace(outcome.domain, outcome.from);
    }
  }
  tick.outcomes.insert(tick.outcomes.end(), outcomes.begin(), outcomes.end());
}

std::vector<Outcome> Coordinator::restore() {
  if (before_first_move_.empty()) return {};
  Tick tick;
  Result<Snapshot> snapshot = hypervisor_.sample();
  if (!snapshot) {
    for (const auto& [uuid, size] : before_first_move_) {
      tick.outcomes.push_back({uuid, size, size, Outcome::Kind::failed, snapshot.error()});
    }
    return tick.outcomes;
  }
  tick.snapshot = std::move(*snapshot);
  history_.observe(tick.snapshot);
  tick.decisions = decisions_to_restore(tick.snapshot);
  apply(tick);
  before_first_move_.clear();
  return tick.outcomes;
}

std::vector<Decision> Coordinator::decisions_to_restore(const Snapshot& snapshot) const {
  const std::string why = "gets back the memory it had";
  std::vector<Proposal> shrinks;
  std::vector<Decision> grows;
  for (const Domain& domain : snapshot.domains) {
    const auto found = before_first_move_.find(domain.uuid());
    if (found == before_first_move_.end()) continue;
    const MemorySize had = found->second;
    if (had < domain.actual) shrinks.push_back({domain.uuid(), had, why});
    if (had > domain.actual) {
      grows.push_back({domain.uuid(), domain.actual, had, had, why, {}});
    }
  }
  // What a domain has come to need is not taken from it at a stroke: shrinks go through the guard.
  // A grow back to what it had can harm nobody but the host, and waits for no report.
  std::vector<Decision> decisions = guard::review(snapshot, history_, shrinks, options_.limits);
  decisions.insert(decisions.end(), grows.begin(), grows.end());
  if (any_shrinks(decisions)) return decisions;  // the grows are settled after them
  return guard::settle(decisions, snapshot, history_, options_.limits);
}

void Coordinator::say(Tick& tick, Note note) {
  if (said_.size() > kRemembered) {
    std::erase_if(said_, [&](const auto& entry) { return entry.second + 1 < tick.number; });
  }
  const auto [entry, fresh] = said_.try_emplace(note.text, tick.number);
  const bool again = !fresh && entry->second + kForgetAfterTicks < tick.number;
  entry->second = tick.number;
  if (fresh || again) tick.notes.push_back(std::move(note));
}

void Coordinator::note_who_is_held(Tick& tick, const std::vector<Standing>& standings) {
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const auto& held = standings[i].held;
    if (!held) continue;
    const Domain& domain = tick.snapshot.domains[i];
    tick.held.push_back({domain.uuid(), held->rule, held->why});
    // Waiting for a report, or being paused, is everyday life; the table shows it.
    if (held->rule && domain.state != DomainState::hung) continue;
    say(tick, {held->rule ? Note::Severity::warning : Note::Severity::info,
               domain.name() + ": left alone: " + held->why});
  }
}

void Coordinator::forget_the_gone() {
  constexpr std::uint64_t kEvery = 100;
  if (number_ % kEvery != 0) return;
  const auto gone = [&](const auto& entry) { return history_.find(entry.first) == nullptr; };
  std::erase_if(before_first_move_, gone);
  std::erase_if(left_out_, gone);
}

}  // namespace memcoord
