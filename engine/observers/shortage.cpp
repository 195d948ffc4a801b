#include "engine/observers/shortage.h"

#include <algorithm>
#include <unordered_map>

#include "engine/core/balloon_tracker.h"
#include "engine/core/screen_text.h"

namespace memcoord::observers {
namespace {

/// The last of the items about a domain, or null.
template <class Items>
auto last_about(const Items& items, const Uuid& domain) -> decltype(items.data()) {
  const auto found = std::find_if(items.rbegin(), items.rend(),
                                  [&](const auto& item) { return item.domain == domain; });
  return found == items.rend() ? nullptr : &*found;
}

std::string text_of(const DomainTick& about, MemorySize size) {
  return size.text(about.tick.limits.units);
}

/// "short by 60 MiB"; "swaps" where only that shows that it is short.
std::string missing_text(const DomainTick& about) {
  const auto size = missing(about);
  return size ? "short by " + text_of(about, *size) : "swaps";
}

/// "short by 60 MiB, swaps", "short by 60 MiB" or "swaps".
std::string shortage_text(const DomainTick& about) {
  const bool both = missing(about) && swaps_in(about.domain, about.before);
  return missing_text(about) + (both ? ", swaps" : "");
}

/// A balloon cannot move by less than a page of its guest.
bool grants_nothing(const Tick& tick) {
  return tick.grantable < kLargestGuestPage;
}

MemorySize released_by_shrinks(const Tick& tick) {
  MemorySize sum;
  for (const Outcome& outcome : tick.outcomes) {
    if (outcome.kind == Outcome::Kind::applied) sum += outcome.from - outcome.to;
  }
  return sum;
}

/// Why the host has nothing to grant.
std::string nothing_to_grant(const DomainTick& about) {
  const Tick& tick = about.tick;
  const Limits& limits = tick.limits;
  std::string text = "the host has nothing to grant";
  if (limits.host_memory) text += " of its budget of " + text_of(about, *limits.host_memory);
  if (host_headroom(tick.snapshot.host, limits.headroom) < limits.host_floor) {
    text = "the host is under its floor of " + text_of(about, limits.host_floor);
  }
  const MemorySize released = released_by_shrinks(tick);
  if (!released.is_zero()) text += "; shrinks are to release " + text_of(about, released);
  return text;
}

/// Nodes that the domain is bound to and that have no more than their part of the host's floor.
std::string full_nodes(const DomainTick& about) {
  const Host& host = about.tick.snapshot.host;
  const Headroom kind = about.tick.limits.headroom;
  for (const NodeBinding& binding : about.domain.identity->bound_to) {
    MemorySize total;
    MemorySize headroom;
    for (const NumaCell& cell : host.cells) {
      if (!includes(binding.nodes, {cell.id})) continue;
      total += cell.total;
      headroom += cell_headroom(cell, kind);
    }
    const double share = static_cast<double>(total.kib()) /
                         static_cast<double>(std::max<std::uint64_t>(host.total.kib(), 1));
    if (headroom > about.tick.limits.host_floor.scaled(share)) continue;
    const bool one = binding.nodes.size() == 1;
    return (one ? "node " : "nodes ") + memcoord::to_text(binding.nodes) +
           (one ? " has" : " have") + " nothing to grant";
  }
  return {};
}

/// The policy whose answer counts in the tick.
std::string deciding_policy(const Tick& tick) {
  return tick.fallback.empty() ? "policy " + tick.policy : "fallback policy " + tick.fallback;
}

/// Why a domain without a decision gets nothing.
std::string reason_without_decision(const DomainTick& about) {
  const Tick& tick = about.tick;
  const Ceiling ceiling = ceiling_of(about.domain);
  if (about.domain.actual >= ceiling.size) {
    return std::string("at its ") + ceiling.of + " of " + text_of(about, ceiling.size);
  }
  if (tick.lacks_policy()) return "policy " + tick.policy + " failed";
  if (grants_nothing(tick)) return nothing_to_grant(about);
  if (std::string nodes = full_nodes(about); !nodes.empty()) return nodes;
  const std::string policy = deciding_policy(tick) + " proposes no grow";
  const std::string can_grant = text_of(about, tick.grantable);
  return tick.grantable < missing(about).value_or(MemorySize())
             ? "the host can grant only " + can_grant + "; " + policy
             : policy + "; the host can grant " + can_grant;
}

/// Why a decision leaves a domain as it is.
std::string reason_of_refusal(const DomainTick& about) {
  const Decision& decision = *about.decision;
  const std::string policy = deciding_policy(about.tick);
  if (decision.proposed < decision.actual) return policy + " proposes to shrink it";
  if (decision.rules.empty()) return policy + " proposes its present size";
  const RuleHit& last = decision.rules.back();
  if (last.rule == Rule::maximum) {
    const Ceiling ceiling = ceiling_of(about.domain);
    if (about.domain.actual >= ceiling.size) return reason_without_decision(about);
  }
  if (last.rule == Rule::host_floor && grants_nothing(about.tick)) {
    return nothing_to_grant(about);
  }
  return last.why;
}

/// What comes of a decision to move a domain.
std::string reason_of_move(const DomainTick& about) {
  const Decision& decision = *about.decision;
  const bool grows = decision.grows();
  if (about.move_failed()) {
    const Outcome& outcome = *about.outcome;
    const bool unknown = outcome.kind == Outcome::Kind::unknown;
    if (outcome.error) {
      return (unknown ? "whether it grew is not known: " : "not moved: ") + outcome.error->message;
    }
    return unknown ? "whether it grew is not known"
                   : "not moved: " + std::string(to_text(outcome.kind));
  }
  std::string text = about.tick.dry_run ? (grows ? "would grow by " : "would shrink by ")
                                        : (grows ? "grows by " : "shrinks by ");
  text += text_of(about, decision.change());
  if (about.tick.dry_run) text += " (dry run)";
  if (grows && !decision.rules.empty()) return text + ", " + decision.rules.back().why;
  const std::string why = reason_beside_shortage(about);
  return why.empty() ? text : text + ", " + why;
}

/// "it is migrating"; a reason without a verb stays as it is.
std::string clause_of(const SkippedDomain& skipped) {
  const bool lacks_subject = skipped.why.starts_with("is ") || skipped.why.starts_with("does ");
  return (lacks_subject ? "it " : "") + skipped.why;
}

}  // namespace

DomainTick domain_tick(const Tick& tick, const Domain& domain, const Domain* before) {
  const Uuid& uuid = domain.uuid();
  return {tick,
          domain,
          before,
          last_about(tick.skipped, uuid),
          last_about(tick.proposals, uuid),
          last_about(tick.decisions, uuid),
          last_about(tick.outcomes, uuid),
          is_short(domain, before, tick.limits),
          std::find(tick.not_reporting.begin(), tick.not_reporting.end(), uuid) ==
              tick.not_reporting.end()};
}

bool guest_runs(const Domain& domain) {
  return domain.state == DomainState::running || domain.state == DomainState::migrating ||
         domain.state == DomainState::busy;
}

bool swaps_in(const Domain& domain, const Domain* before) {
  if (before == nullptr || before->id != domain.id) return false;
  const auto& earlier = before->guest.swap_in;
  return earlier && domain.guest.swap_in && *domain.guest.swap_in > *earlier;
}

bool is_short(const Domain& domain, const Domain* before, const Limits& limits) {
  if (!guest_runs(domain)) return false;
  const auto headroom = headroom_of(domain, limits.headroom);
  return (headroom && *headroom < limits.domain_floor) || swaps_in(domain, before);
}

std::vector<DomainTick> domain_ticks(const Tick& tick,
                                     const std::function<const Domain*(const Domain&)>& earlier) {
  std::unordered_map<Uuid, std::size_t> place;
  std::vector<DomainTick> all;
  all.reserve(tick.snapshot.domains.size());
  for (const Domain& domain : tick.snapshot.domains) {
    place.emplace(domain.uuid(), all.size());
    all.push_back({.tick = tick, .domain = domain, .before = earlier(domain)});
    all.back().is_short = is_short(domain, all.back().before, tick.limits);
  }
  const auto each = [&](const auto& items, auto DomainTick::*member) {
    for (const auto& item : items) {
      const auto found = place.find(item.domain);
      if (found != place.end()) all[found->second].*member = &item;
    }
  };
  each(tick.skipped, &DomainTick::skipped);
  each(tick.proposals, &DomainTick::proposal);
  each(tick.decisions, &DomainTick::decision);
  each(tick.outcomes, &DomainTick::outcome);
  for (const Uuid& silent : tick.not_reporting) {
    if (const auto found = place.find(silent); found != place.end()) {
      all[found->second].reports = false;
    }
  }
  return all;
}

Ceiling ceiling_of(const Domain& domain) {
  Ceiling ceiling{domain.maximum, "maximum"};
  const auto& configured = domain.settings().maximum;
  if (configured && *configured < ceiling.size) ceiling = {*configured, "configured maximum"};
  if (const auto& limit = domain.identity->hard_limit) {
    const MemorySize most = *limit - ProcessOverhead::usual(domain);
    if (most < ceiling.size) ceiling = {most, "cgroup's limit"};
  }
  return ceiling;
}

std::optional<MemorySize> missing(const DomainTick& about) {
  const Limits& limits = about.tick.limits;
  const auto headroom = headroom_of(about.domain, limits.headroom);
  if (!headroom || *headroom >= limits.domain_floor) return std::nullopt;
  return limits.domain_floor - *headroom;
}

bool grow_covers_shortage(const DomainTick& about) {
  return about.decision && about.decision->grows() &&
         about.decision->change() >= missing(about).value_or(MemorySize());
}

bool is_served(const DomainTick& about) {
  return grow_covers_shortage(about) && !about.move_failed() && !about.tick.dry_run;
}

std::string reason_beside_shortage(const DomainTick& about) {
  const std::string& why = about.decision->why;
  return about.is_short && why.find("short of memory") != std::string::npos ? "" : why;
}

std::string reason_of(const DomainTick& about) {
  if (about.skipped && !about.moves()) return "skipped, " + clause_of(*about.skipped);
  if (about.decision == nullptr) return reason_without_decision(about);
  return about.moves() ? reason_of_move(about) : reason_of_refusal(about);
}

std::string shortage_of(const DomainTick& about) {
  return about.is_short ? shortage_text(about) + ": " + reason_of(about) : std::string();
}

std::string shortage_of(const DomainTick& about, std::size_t width) {
  std::string text = shortage_of(about);
  if (display_width(text) <= width) return text;
  const std::string reason = reason_of(about);
  text = missing_text(about) + ": " + reason;
  if (display_width(text) <= width) return text;
  return (swaps_in(about.domain, about.before) ? "swaps: " : "short: ") + reason;
}

std::string problem_of(const DomainTick& about) {
  if (about.domain.state == DomainState::hung) return "does not answer";
  return is_served(about) ? std::string() : shortage_of(about);
}

std::string problem_of(const Tick& tick, const Domain& domain, const Domain* before) {
  return problem_of(domain_tick(tick, domain, before));
}

}  // namespace memcoord::observers
