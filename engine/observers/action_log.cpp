#include "engine/observers/action_log.h"

#include <sstream>

namespace memcoord::observers {
namespace {

bool succeeded(const Outcome& outcome) {
  return outcome.kind == Outcome::Kind::applied || outcome.kind == Outcome::Kind::dry_run;
}

/// A proposal that the guard refused, with the rules that limited it.
std::string refusal_text(const std::string& name, const Decision& decision, Units units) {
  std::string text = name + ": stays at " + decision.actual.text(units);
  if (!decision.why.empty()) text += ": " + decision.why;
  if (decision.rules.empty()) return text;
  text += " (asked for " + decision.proposed.text(units);
  for (const RuleHit& hit : decision.rules) {
    text += "; " + std::string(to_text(hit.rule)) + ": " + hit.why;
  }
  return text + ")";
}

LogFields fields_of(const std::string& name, const Decision& decision) {
  LogFields fields{.domain = name, .from = decision.actual, .to = decision.target};
  for (const RuleHit& hit : decision.rules) fields.rules.push_back(hit.rule);
  return fields;
}

}  // namespace

std::string describe_move(const std::string& name, const Decision& decision, Units units) {
  std::string text = name + ": " + move_text(decision.actual, decision.target, units) + " (" +
                     change_text(decision.actual, decision.target, units) + ")";
  if (!decision.why.empty()) text += ": " + decision.why;
  if (decision.rules.empty()) return text;
  text += " (asked for " + decision.proposed.text(units);
  for (const RuleHit& hit : decision.rules) text += "; " + std::string(to_text(hit.rule));
  return text + ")";
}

void ActionLog::observe(const Tick& tick) {
  units_ = tick.limits.units;
  write_error("statistics", tick.sample_error, last_sample_error_, sample_errors_);
  write_error("policy", tick.policy_error, last_policy_error_, policy_errors_);
  const bool every_note = log_->passes(Log::Level::debug);
  for (const Note& note : tick.notes) {
    const bool is_error = note.severity == Note::Severity::error;
    if (every_note || is_error || merged_.gets_line_for_note()) write(note);
  }
  if (tick.sample_error) return;
  write(merged_.begin_tick(tick.snapshot.taken_at, tick.dry_run, units_));
  write_moves(tick);
  // The snapshot of a restoration is from before it.
  if (!tick.restoring) write_shortages(tick);
  write(merged_.end_tick());
}

void ActionLog::write(const std::vector<MergedLines::Line>& lines) {
  for (const MergedLines::Line& line : lines) {
    log_->write(line.warning ? Log::Level::warning : Log::Level::info, line.text);
  }
}

void ActionLog::write_moves(const Tick& tick) {
  if (tick.decisions.empty() && tick.outcomes.empty() && failing_.empty()) return;
  const AboutAll all = index(tick);
  forget_gone_domains(all);
  for (const Decision& decision : tick.decisions) write_decision(all, decision);
  for (const Outcome& outcome : tick.outcomes) {
    const About& about = all.at(outcome.domain);
    if (about.last == &outcome) write_failure(about);
  }
}

void ActionLog::write_shortages(const Tick& tick) {
  const bool all = log_->passes(Log::Level::debug);
  for (const ShortageFinder::Change& change : shortages_.changes_of(tick)) {
    const std::string& name = change.domain->name();
    if (change.begins) {
      if (all || merged_.gets_line_for_begin(name)) {
        log_->warn(name + ": " + change.text, {.domain = name});
      }
    } else if (all || merged_.gets_line_for_end(name)) {
      log_->info(name + ": " + change.text, {.domain = name});
    }
  }
}

ActionLog::AboutAll ActionLog::index(const Tick& tick) {
  AboutAll all;
  all.reserve(tick.snapshot.domains.size());
  for (const Domain& domain : tick.snapshot.domains) all[domain.uuid()].domain = &domain;
  for (const Outcome& outcome : tick.outcomes) {
    About& about = all[outcome.domain];
    about.last = &outcome;
    if (succeeded(outcome)) about.done = &outcome;
  }
  return all;
}

std::string ActionLog::name_of(const About* about, const Uuid& uuid) {
  return about != nullptr && about->domain != nullptr ? about->domain->name() : uuid.text();
}

/// The failures of a domain that comes back or was started again are news.
void ActionLog::forget_gone_domains(const AboutAll& all) {
  std::erase_if(failing_, [&](const auto& entry) {
    const auto found = all.find(entry.first);
    const Domain* domain = found == all.end() ? nullptr : found->second.domain;
    return domain == nullptr || domain->id != entry.second.id;
  });
}

void ActionLog::write(const Note& note) {
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

void ActionLog::write_error(const char* what, const std::optional<Error>& error, std::string& last,
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
    std::istringstream detail(error->detail);
    for (std::string line; std::getline(detail, line);) log_->debug(line);
  } else {
    log_->info(topic + "works again");
  }
  last = text;
  times = error ? 1 : 0;
}

void ActionLog::write_decision(const AboutAll& all, const Decision& decision) {
  const auto found = all.find(decision.domain);
  const About* about = found == all.end() ? nullptr : &found->second;
  const std::string name = name_of(about, decision.domain);
  if (decision.holds()) {
    log_->debug(refusal_text(name, decision, units_), fields_of(name, decision));
    return;
  }
  if (about == nullptr || about->done == nullptr) return;  // write_failure() says why not
  Decision done = decision;
  done.target = about->done->to;
  const bool dry_run = about->done->kind == Outcome::Kind::dry_run;
  if (!log_->passes(Log::Level::debug) &&
      !merged_.gets_line_for_move(done.domain, name, done.actual, done.target)) {
    return;
  }
  log_->info((dry_run ? "dry run: " : "") + describe_move(name, done, units_),
             fields_of(name, done));
}

void ActionLog::write_failure(const About& about) {
  const Outcome& outcome = *about.last;
  if (succeeded(outcome)) {
    failing_.erase(outcome.domain);
    return;
  }
  const std::string why =
      outcome.error ? outcome.error->message : std::string(to_text(outcome.kind));
  Failing& last = failing_[outcome.domain];
  last.id = about.domain != nullptr ? about.domain->id : 0;
  if (last.why == why) return;
  last.why = why;
  const bool unknown = outcome.kind == Outcome::Kind::unknown;
  const bool failed = outcome.kind == Outcome::Kind::failed;
  const std::string name = name_of(&about, outcome.domain);
  log_->write(
      failed || unknown ? Log::Level::warning : Log::Level::info,
      name +
          (unknown ? ": whether it was moved to " + outcome.to.text(units_) + " is not known: "
                   : ": not moved to " + outcome.to.text(units_) + ": ") +
          why,
      {.domain = name, .from = outcome.from, .to = outcome.to});
}

}  // namespace memcoord::observers
