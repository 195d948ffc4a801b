#include "engine/observers/action_log.h"

namespace memcoord::observers {
namespace {

std::string name_in(const Tick& tick, const Uuid& uuid) {
  const Domain* domain = tick.snapshot.find(uuid);
  return domain ? domain->name() : uuid.text();
}

const Outcome* outcome_for(const Tick& tick, const Uuid& uuid) {
  for (const Outcome& outcome : tick.outcomes) {
    if (outcome.domain == uuid) return &outcome;
  }
  return nullptr;
}

/// Where the guard took all of a proposal away: the rule that did.
std::string held_text(const std::string& name, const Decision& decision) {
  std::string text = name + ": stays at " + decision.actual.text();
  if (!decision.why.empty()) text += ": " + decision.why;
  if (decision.rules.empty()) return text;
  text += " (asked for " + decision.proposed.text();
  for (const RuleHit& hit : decision.rules) {
    text += "; " + std::string(to_text(hit.rule)) + ": " + hit.why;
  }
  return text + ")";
}

}  // namespace

std::string describe_move(const std::string& name, const Decision& decision) {
  std::string text = name + ": " + decision.actual.text() + " -> " + decision.target.text() + " (" +
                     change_text(decision.actual, decision.target) + ")";
  if (!decision.why.empty()) text += ": " + decision.why;
  if (decision.rules.empty()) return text;
  text += " (asked for " + decision.proposed.text();
  for (const RuleHit& hit : decision.rules) text += "; " + std::string(to_text(hit.rule));
  return text + ")";
}

void ActionLog::observe(const Tick& tick) {
  tell_error("statistics", tick.sample_error, last_sample_error_, sample_errors_);
  tell_error("policy", tick.policy_error, last_policy_error_, policy_errors_);
  for (const Note& note : tick.notes) tell(note);
  for (const Decision& decision : tick.decisions) tell_decision(tick, decision);
  for (const Outcome& outcome : tick.outcomes) tell_failure(tick, outcome);
}

void ActionLog::tell(const Note& note) {
  switch (note.severity) {
    case Note::Severity::info:
      log_->info(note.text);
      break;
    case Note::Severity::warning:
      log_->warn(note.text);
      break;
    case Note::Severity::error:
      log_->error(note.text);
      break;
  }
}

void ActionLog::tell_error(const char* what, const std::optional<Error>& error, std::string& last,
                           std::uint64_t& times) {
  const std::string text = error ? error->text() : std::string();
  if (text == last) {
    if (error) ++times;
    return;
  }
  const std::string topic = std::string(what) + ": ";
  if (times > 1) {
    log_->warn(topic + "the last error came " + std::to_string(times) + " ticks in a row");
  }
  if (error) {
    log_->error(topic + text);
    if (!error->detail.empty()) log_->debug(error->detail);
  } else {
    log_->info(topic + "fine again");
  }
  last = text;
  times = error ? 1 : 0;
}

void ActionLog::tell_decision(const Tick& tick, const Decision& decision) {
  const std::string name = name_in(tick, decision.domain);
  if (decision.holds()) {
    log_->debug(held_text(name, decision));
    return;
  }
  const Outcome* outcome = outcome_for(tick, decision.domain);
  if (!outcome || outcome->kind == Outcome::Kind::applied) {
    log_->info(describe_move(name, decision));
  } else if (outcome->kind == Outcome::Kind::dry_run) {
    log_->info("dry run: " + describe_move(name, decision));
  }
}

void ActionLog::tell_failure(const Tick& tick, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::applied || outcome.kind == Outcome::Kind::dry_run) {
    failing_.erase(outcome.domain);
    return;
  }
  const std::string why =
      outcome.error ? outcome.error->message : std::string(to_text(outcome.kind));
  std::string& last = failing_[outcome.domain];
  if (last == why) return;
  last = why;
  const bool failed = outcome.kind == Outcome::Kind::failed;
  log_->write(failed ? Log::Level::warning : Log::Level::info,
              name_in(tick, outcome.domain) + ": not moved to " + outcome.to.text() + ": " + why);
}

}  // namespace memcoord::observers
