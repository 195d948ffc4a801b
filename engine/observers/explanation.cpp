#include "engine/observers/explanation.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace memcoord::observers {
namespace {

std::string figure_text(const DomainTick& about, MemorySize size) {
  return size.text(about.tick.limits.units);
}

std::string rule_text(const RuleHit& hit) {
  return std::string(to_text(hit.rule)) + ": " + hit.why;
}

std::string age_text(const Tick& tick, const Domain& domain) {
  const auto& at = domain.guest.last_update;
  if (!at) return "its guest has never reported";
  const double seconds = seconds_of(tick.snapshot.wall_time - *at);
  return fmt::format("its guest reported {:.0f} s before the tick, every {:g} s",
                     std::max(0.0, seconds), seconds_of(domain.guest.period));
}

std::vector<std::string> figures_of(const DomainTick& about) {
  if (about.domain.state == DomainState::hung) return {"no figures: it does not answer"};
  const GuestStatistics& guest = about.domain.guest;
  std::vector<std::string> figures;
  const auto figure = [&](const char* name, const std::optional<MemorySize>& size) {
    figures.push_back(std::string(name) + " " +
                      (size ? figure_text(about, *size) : "not reported"));
  };
  figure("unused", guest.unused);
  figure("usable", guest.usable);
  figure("available", guest.available);
  figure("rss", about.domain.rss);
  if (swaps_in(about.domain, about.before)) {
    const MemorySize read = *guest.swap_in - *about.before->guest.swap_in;
    figures.push_back("read " + figure_text(about, read) + " from its swap since the last tick");
  }
  figures.push_back(age_text(about.tick, about.domain));
  for (const DroppedFigure& dropped : about.tick.dropped) {
    if (dropped.domain != about.domain.uuid()) continue;
    figures.push_back(dropped.figure + " = " + std::to_string(dropped.value) + " is dropped: it " +
                      dropped.why);
  }
  return figures;
}

std::string policy_text(const DomainTick& about) {
  const Tick& tick = about.tick;
  std::string policy = tick.policy;
  if (tick.policy_error) policy += " failed: " + tick.policy_error->text();
  if (!tick.fallback.empty()) policy += "; fallback policy " + tick.fallback;
  if (about.decision == nullptr) {
    if (tick.lacks_policy()) return policy;
    if (about.skipped) return policy + " does not see it";
    return policy + " proposes no change";
  }
  const Decision& decision = *about.decision;
  const bool own = about.proposal != nullptr && about.proposal->rule.has_value();
  std::string text =
      own ? "memcoord itself (" + std::string(to_text(*about.proposal->rule)) + ")" : policy;
  text += " proposes " + figure_text(about, decision.proposed);
  if (decision.proposed != decision.actual) {
    text += " (" + change_text(decision.actual, decision.proposed, tick.limits.units) + ")";
  }
  return decision.why.empty() ? text : text + ": " + decision.why;
}

std::string outcome_text(const DomainTick& about) {
  if (about.outcome == nullptr) return {};
  const Outcome& outcome = *about.outcome;
  const std::string target = figure_text(about, outcome.to);
  const std::string why = outcome.error ? ": " + outcome.error->message : std::string();
  switch (outcome.kind) {
    case Outcome::Kind::applied:
      return "its balloon's target is " + target;
    case Outcome::Kind::dry_run:
      return "dry run: its balloon's target would be " + target;
    case Outcome::Kind::unknown:
      return "whether it was moved to " + target + " is not known" + why;
    case Outcome::Kind::vanished:
    case Outcome::Kind::skipped:
    case Outcome::Kind::failed:
      break;
  }
  return "not moved to " + target + ": " + std::string(to_text(outcome.kind)) + why;
}

std::string next_move_text(const DomainTick& about) {
  if (about.skipped == nullptr) return "at the next tick";
  if (about.skipped->rule == Rule::running_only) {
    return about.domain.state == DomainState::hung ? "when it answers again" : "when it runs again";
  }
  if (about.skipped->rule == Rule::fresh_stats) {
    return about.domain.guest.last_update ? "after its guest's next report"
                                          : "when its guest reports statistics";
  }
  return "when memcoord no longer skips it: " + about.skipped->why;
}

std::string movement_text(const DomainTick& about) {
  const Decision& decision = *about.decision;
  const std::string size = figure_text(about, decision.change());
  const std::string reason = reason_beside_shortage(about);
  const std::string why = reason.empty() ? "" : ": " + reason;
  if (about.move_failed()) {
    return std::string(decision.grows() ? "was to grow by " : "was to shrink by ") + size + "; " +
           outcome_text(about);
  }
  if (about.tick.dry_run) {
    return std::string(decision.grows() ? "would grow by " : "would shrink by ") + size +
           " (dry run)" + why;
  }
  return std::string(decision.grows() ? "grows by " : "shrinks by ") + size + why;
}

}  // namespace

std::string answer_of(const DomainTick& about) {
  const bool needs = about.is_short;
  const auto lacks = needs ? missing(about) : std::nullopt;
  std::string begin = needs && !lacks ? "It swaps" : "It";
  if (lacks) begin += " is short by " + figure_text(about, *lacks);
  if (lacks && swaps_in(about.domain, about.before)) begin += " and swaps";
  if (about.decision && !about.decision->holds()) {
    return begin + (needs ? ", and " : " ") + movement_text(about) + ".";
  }
  if (needs) return begin + ": " + reason_of(about) + ".";
  if (about.skipped && about.decision == nullptr) {
    return "It keeps its size, because it is skipped: " + about.skipped->why + ".";
  }
  if (about.decision && !about.decision->rules.empty()) {
    return "It keeps its size, because the guard refuses (" +
           rule_text(about.decision->rules.back()) + ").";
  }
  return "It has enough memory and keeps its size.";
}

Explanation explain(const Tick& tick, const Domain& domain, const Domain* before) {
  const DomainTick about = domain_tick(tick, domain, before);
  Explanation explanation;
  explanation.name = domain.name();
  explanation.state = std::string(to_text(domain.state)) + ", " +
                      figure_text(about, domain.actual) + " of at most " +
                      figure_text(about, ceiling_of(domain).size);
  explanation.answer = answer_of(about);
  explanation.figures = figures_of(about);
  explanation.policy = policy_text(about);
  if (about.decision) {
    for (const RuleHit& hit : about.decision->rules) {
      explanation.guard.push_back(std::string(to_text(hit.rule)) + ": " +
                                  move_text(hit.before, hit.after, tick.limits.units) + ", " +
                                  hit.why);
    }
  }
  explanation.outcome = outcome_text(about);
  explanation.next_move = next_move_text(about);
  return explanation;
}

}  // namespace memcoord::observers
