#include "engine/observers/explanation.h"

#include <fmt/core.h>

#include <algorithm>

#include "engine/observers/events.h"

namespace memcoord::observers {
namespace {

/// The last of the items about a domain, or null.
template <class Items>
auto last_about(const Items& items, const Uuid& domain) -> decltype(items.data()) {
  const auto found = std::find_if(items.rbegin(), items.rend(),
                                  [&](const auto& item) { return item.domain == domain; });
  return found == items.rend() ? nullptr : &*found;
}

/// Everything of a tick about one domain. Refers to the tick.
struct DomainTick {
  DomainTick(const Tick& of, const Domain& about, const Domain* one_tick_earlier)
      : tick(of),
        domain(about),
        before(one_tick_earlier),
        skipped(last_about(of.skipped, about.uuid())),
        proposal(last_about(of.proposals, about.uuid())),
        decision(last_about(of.decisions, about.uuid())),
        outcome(last_about(of.outcomes, about.uuid())) {}

  [[nodiscard]] std::string text(MemorySize size) const { return size.text(tick.limits.units); }
  [[nodiscard]] MemorySize ceiling() const {
    return std::min(domain.settings().maximum.value_or(domain.maximum), domain.maximum);
  }
  [[nodiscard]] bool is_short() const { return observers::is_short(domain, before, tick.limits); }

  const Tick& tick;
  const Domain& domain;
  const Domain* before;
  const SkippedDomain* skipped;
  const Proposal* proposal;
  const Decision* decision;
  const Outcome* outcome;  ///< of the last step of its move
};

std::string rule_text(const RuleHit& hit) {
  return std::string(to_text(hit.rule)) + ": " + hit.why;
}

std::string age_text(const Tick& tick, const Domain& domain) {
  const auto& at = domain.guest.last_update;
  if (!at) return "its guest has never reported";
  const double seconds = std::chrono::duration<double>(tick.snapshot.wall_time - *at).count();
  return fmt::format("its guest reported {:.0f} s before the tick, every {:g} s",
                     std::max(0.0, seconds), seconds_of(domain.guest.period));
}

std::vector<std::string> figures_of(const DomainTick& about) {
  const GuestStatistics& guest = about.domain.guest;
  std::vector<std::string> figures;
  const auto figure = [&](const char* name, const std::optional<MemorySize>& size) {
    figures.push_back(std::string(name) + " " + (size ? about.text(*size) : "not reported"));
  };
  figure("unused", guest.unused);
  figure("usable", guest.usable);
  figure("available", guest.available);
  figure("rss", about.domain.rss);
  if (swaps_in(about.domain, about.before)) {
    const MemorySize read = *guest.swap_in - *about.before->guest.swap_in;
    figures.push_back("read " + about.text(read) + " from its swap since the last tick");
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
  const std::string policy = "policy " + tick.policy;
  if (about.decision == nullptr) {
    if (tick.policy_error) return policy + " failed: " + tick.policy_error->text();
    if (about.skipped) return policy + " does not see it";
    return policy + " proposes no change";
  }
  const Decision& decision = *about.decision;
  const bool own = about.proposal != nullptr && about.proposal->rule.has_value();
  std::string text =
      own ? "memcoord itself (" + std::string(to_text(*about.proposal->rule)) + ")" : policy;
  text += " proposes " + about.text(decision.proposed);
  if (decision.proposed != decision.actual) {
    text += " (" + change_text(decision.actual, decision.proposed, tick.limits.units) + ")";
  }
  return decision.why.empty() ? text : text + ": " + decision.why;
}

std::string outcome_text(const DomainTick& about) {
  if (about.outcome == nullptr) return {};
  const Outcome& outcome = *about.outcome;
  const std::string target = about.text(outcome.to);
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

/// "short by 60 MiB", or that its guest swaps.
std::string shortage_text(const DomainTick& about) {
  const Limits& limits = about.tick.limits;
  const auto headroom = headroom_of(about.domain, limits.headroom);
  if (!headroom || *headroom >= limits.domain_floor) return "short, because its guest swaps";
  return "short by " + about.text(limits.domain_floor - *headroom);
}

/// Why the domain gets no memory.
std::string reason_for_none(const DomainTick& about) {
  if (about.skipped && about.decision == nullptr) return "it is skipped: " + about.skipped->why;
  if (about.decision && !about.decision->rules.empty()) {
    return "the guard refuses (" + rule_text(about.decision->rules.back()) + ")";
  }
  if (about.domain.actual >= about.ceiling()) {
    return "it already has its maximum of " + about.text(about.ceiling());
  }
  if (about.tick.policy_error) return "policy " + about.tick.policy + " failed";
  if (about.tick.grantable.is_zero()) return "the host has nothing to grant";
  return "policy " + about.tick.policy + " proposes no grow, although the host can grant " +
         about.text(about.tick.grantable);
}

std::string movement_text(const DomainTick& about) {
  const Decision& decision = *about.decision;
  const std::string size = about.text(decision.grows() ? decision.target - decision.actual
                                                       : decision.actual - decision.target);
  const std::string why = decision.why.empty() ? "" : ": " + decision.why;
  const Outcome* outcome = about.outcome;
  if (outcome && outcome->kind != Outcome::Kind::applied &&
      outcome->kind != Outcome::Kind::dry_run) {
    return std::string(decision.grows() ? "was to grow by " : "was to shrink by ") + size + "; " +
           outcome_text(about);
  }
  return std::string(decision.grows() ? "grows by " : "shrinks by ") + size +
         (about.tick.dry_run ? " (dry run)" : "") + why;
}

std::string answer_of(const DomainTick& about) {
  const bool needs = about.is_short();
  const std::string begin = needs ? "It is " + shortage_text(about) : "It";
  if (about.decision && !about.decision->holds()) {
    return begin + (needs ? ", and " : " ") + movement_text(about) + ".";
  }
  if (needs) return begin + ": " + reason_for_none(about) + ".";
  if (about.skipped && about.decision == nullptr) {
    return "It keeps its size, because it is skipped: " + about.skipped->why + ".";
  }
  if (about.decision && !about.decision->rules.empty()) {
    return "It keeps its size, because " + reason_for_none(about) + ".";
  }
  return "It has enough memory and keeps its size.";
}

}  // namespace

Explanation explain(const Tick& tick, const Domain& domain, const Domain* before) {
  const DomainTick about(tick, domain, before);
  Explanation explanation;
  explanation.name = domain.name();
  explanation.state = std::string(to_text(domain.state)) + ", " + about.text(domain.actual) +
                      " of at most " + about.text(about.ceiling());
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

std::string problem_of(const Tick& tick, const Domain& domain, const Domain* before) {
  const DomainTick about(tick, domain, before);
  if (domain.state == DomainState::hung) return "does not answer";
  if (!about.is_short() || (about.decision && about.decision->grows())) return {};
  return shortage_text(about) + ": " + reason_for_none(about);
}

}  // namespace memcoord::observers
