#include "engine/core/guard.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace memcoord::guard {
namespace {

/// Everything that a rule for one domain may look at.
struct Case {
  const Domain& domain;
  const DomainHistory* history;
  const Limits& limits;
  MonotonicTime now;
  WallTime wall_time;
  MemorySize headroom;
};

/// What a rule makes of a target: the target it allows, and why where that is another.
struct Ruling {
  MemorySize target;
  std::string why;
};

Ruling pass(MemorySize target) {
  return {target, {}};
}
Ruling veto(const Case& c, std::string why) {
  return {c.domain.actual, std::move(why)};
}

std::string seconds_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

// Each rule below takes what the rules before it left of the target.

Ruling running_only(const Case& c, MemorySize target) {
  switch (c.domain.state) {
    case DomainState::running:
      return pass(target);
    case DomainState::hung:
      return veto(c, "does not answer");
    default:
      return veto(c, "is " + std::string(to_text(c.domain.state)));
  }
}

Duration trusted_age(const Case& c) {
  constexpr Duration kDefaultPeriod = std::chrono::seconds(1);
  const Duration period = std::max(c.domain.guest.period, kDefaultPeriod);
  return period * c.limits.stale_after_periods + c.limits.stale_slack;
}

/// A guest's total follows its balloon one for one, so a report that shows more than the domain has
/// was made before its balloon filled: at boot, say, when nobody has asked for a move. (With
/// autodeflate Linux leaves its total as it is.)
bool is_older_than_balloon(const Domain& domain) {
  return domain.guest.available && *domain.guest.available > domain.actual &&
         !domain.deflates_by_itself;
}

/// By the report's stamp, or - where the clocks disagree - by having seen it change.
bool is_fresh(const Case& c) {
  const Duration trusted = trusted_age(c);
  const Duration age = c.wall_time - *c.domain.guest.last_update;
  if (age <= trusted && age >= -trusted) return true;
  const auto not_before = c.history ? c.history->report_not_before() : std::nullopt;
  return not_before && c.now - *not_before <= trusted;
}

Ruling fresh_stats(const Case& c, MemorySize target) {
  if (!c.domain.guest.last_update) return veto(c, "its guest reports no statistics");
  if (!headroom_of(c.domain, c.limits.headroom)) {
    return veto(c, "its guest does not report how much memory is unused");
  }
  if (!is_fresh(c)) {
    return veto(c, "its statistics are older than " + seconds_text(trusted_age(c)));
  }
  if (c.history && !c.history->reported_since_move()) {
    return veto(c, "no report since its last balloon move");
  }
  if (is_older_than_balloon(c.domain)) {
    return veto(c, "its last report is from before its balloon filled");
  }
  return pass(target);
}

Ruling no_progress(const Case& c, MemorySize target) {
  if (target >= c.domain.actual || !c.history || !c.history->ignores_shrinks()) {
    return pass(target);
  }
  return veto(c, "did not follow the last shrink, to " + c.history->last_move()->target.text());
}

Ruling grace(const Case& c, MemorySize target) {
  if (target >= c.domain.actual || !c.history) return pass(target);
  const auto recent = [&](std::optional<MonotonicTime> at) {
    return at && c.now - *at < c.limits.grace;
  };
  if (recent(c.history->rebooted_at()) || recent(c.domain.started_at)) {
    return veto(c, "started less than " + seconds_text(c.limits.grace) + " ago");
  }
  if (recent(c.history->deflated_by_itself_at())) {
    return veto(c, "took memory back by itself less than " + seconds_text(c.limits.grace) + " ago");
  }
  return pass(target);
}

Ruling maximum(const Case& c, MemorySize target) {
  const auto& configured = c.domain.settings().maximum;
  const MemorySize ceiling =
      configured ? std::min(*configured, c.domain.maximum) : c.domain.maximum;
  if (target <= ceiling) return pass(target);
  // A domain over its ceiling is not grown; nor does the ceiling take what it has.
  const MemorySize allowed = target > c.domain.actual ? std::max(ceiling, c.domain.actual) : target;
  return {allowed, "passes its maximum of " + ceiling.text()};
}

Ruling minimum(const Case& c, MemorySize target) {
  const auto& least = c.domain.settings().minimum;
  if (!least || target >= *least || target >= c.domain.actual) return pass(target);
  return {std::min(*least, c.domain.actual), "is under its minimum of " + least->text()};
}

/// A shrink that takes at most `give`.
MemorySize shrink_by_at_most(const Case& c, MemorySize target, MemorySize give) {
  return std::max(target, c.domain.actual - give);
}

Ruling gradual(const Case& c, MemorySize target) {
  if (target >= c.domain.actual) return pass(target);
  const MemorySize give = c.headroom.scaled(c.limits.max_release);
  return {shrink_by_at_most(c, target, give),
          "takes " + (c.domain.actual - target).text() + " of " + c.headroom.text() + " " +
              std::string(to_text(c.limits.headroom)) + "; one tick takes at most " + give.text()};
}

Ruling domain_floor(const Case& c, MemorySize target) {
  if (target >= c.domain.actual) return pass(target);
  const MemorySize give = c.headroom - c.limits.domain_floor;
  const MemorySize left = c.headroom - (c.domain.actual - target);
  return {shrink_by_at_most(c, target, give), "would leave " + left.text() + " " +
                                                  std::string(to_text(c.limits.headroom)) +
                                                  "; its floor is " + c.limits.domain_floor.text()};
}

struct NamedRule {
  Rule name;
  Ruling (*apply)(const Case&, MemorySize);
};

/// The rules for one domain, in the order in which they apply. (sane_target comes before them, with
/// the proposals; host_floor and share_out after them, with all domains together.)
constexpr std::array<NamedRule, 8> kDomainRules{{
    {Rule::running_only, running_only},
    {Rule::fresh_stats, fresh_stats},
    {Rule::no_progress, no_progress},
    {Rule::grace, grace},
    {Rule::maximum, maximum},
    {Rule::minimum, minimum},
    {Rule::gradual, gradual},
    {Rule::domain_floor, domain_floor},
}};

Case case_of(const Domain& domain, const Snapshot& snapshot, const History& history,
             const Limits& limits) {
  return {domain,
          history.find(domain.uuid()),
          limits,
          snapshot.taken_at,
          snapshot.wall_time,
          headroom_of(domain, limits.headroom).value_or(MemorySize())};
}

/// Why a domain is none of memcoord's business, or empty.
std::string why_not_ours(const Domain& domain) {
  if (!domain.identity->unsuitable.empty()) return domain.identity->unsuitable;
  if (domain.settings().exclude) return "excluded by its settings";
  return {};
}

std::optional<Standing::Held> held(const Case& c) {
  if (auto why = why_not_ours(c.domain); !why.empty()) {
    return Standing::Held{std::nullopt, std::move(why)};
  }
  for (const NamedRule& rule : {kDomainRules[0], kDomainRules[1]}) {
    // A target that is not the actual size shows whether the rule lets anything through.
    const MemorySize probe = c.domain.actual + MemorySize::from_kib(1);
    Ruling ruling = rule.apply(c, probe);
    if (ruling.target != probe) return Standing::Held{rule.name, std::move(ruling.why)};
  }
  return std::nullopt;
}

void bite(Decision& decision, Rule rule, MemorySize after, std::string why) {
  // A rule that bites again - settle() after review() - is told once, with its last word.
  if (!decision.rules.empty() && decision.rules.back().rule == rule) {
    decision.rules.back().after = after;
    decision.rules.back().why = std::move(why);
  } else {
    decision.rules.push_back({rule, decision.target, after, std::move(why)});
  }
  decision.target = after;
}

void apply_domain_rules(const Case& c, Decision& decision) {
  if (auto why = why_not_ours(c.domain); !why.empty()) {
    bite(decision, Rule::sane_target, decision.actual, std::move(why));
    return;
  }
  for (const NamedRule& rule : kDomainRules) {
    if (decision.holds()) return;
    Ruling ruling = rule.apply(c, decision.target);
    if (ruling.target != decision.target) {
      bite(decision, rule.name, ruling.target, std::move(ruling.why));
    }
  }
}

constexpr MemorySize kMostSane = MemorySize::from_kib(std::uint64_t{1} << 63U);

/// Why a target makes no sense, or empty.
std::string insane(MemorySize target) {
  if (target.is_zero()) return "a target of nothing";
  if (target > kMostSane) return "a target larger than any memory";
  return {};
}

MemorySize rss_of(const Domain& domain, const DomainHistory* history) {
  if (domain.rss) return *domain.rss;
  return history && history->last_rss() ? *history->last_rss() : MemorySize();
}

MemorySize claim_of(const Domain& domain, const DomainHistory* history) {
  return history ? history->claim(domain) : domain.actual;
}

/// A decision on its way, with the domain it is about.
struct Pending {
  Decision decision;
  const Domain* domain;
  const DomainHistory* history;
};

void cut_grow(Decision& decision, MemorySize missing, MemorySize available, bool alone) {
  const MemorySize after = std::max(decision.actual, decision.target - missing);
  if (available.is_zero()) {
    bite(decision, Rule::host_floor, after, "the host has nothing to give above its floor");
  } else {
    bite(decision, alone ? Rule::host_floor : Rule::share_out, after,
         "the host can give " + available.text() + (alone ? "" : " to all"));
  }
}

/// host_floor and share_out: where the grows together pass what there is, it is shared out; each
/// keeps what it has claimed before.
void limit_grows(std::vector<Pending>& all, MemorySize available) {
  std::vector<Decision*> growing;
  std::vector<Want> wants;
  MemorySize wanted;
  std::size_t wanting = 0;
  for (Pending& one : all) {
    if (!one.decision.grows()) continue;
    const MemorySize amount = one.decision.target - claim_of(*one.domain, one.history);
    growing.push_back(&one.decision);
    wants.push_back({amount, one.domain->settings().weight});
    wanted += amount;
    wanting += amount.is_zero() ? 0 : 1;
  }
  if (wanted <= available) return;
  const std::vector<MemorySize> shares = share_out(available, wants);
  for (std::size_t i = 0; i < growing.size(); ++i) {
    if (shares[i] < wants[i].amount) {
      cut_grow(*growing[i], wants[i].amount - shares[i], available, wanting == 1);
    }
  }
}

std::vector<Decision> decisions_of(std::vector<Pending> all) {
  std::vector<Decision> decisions;
  decisions.reserve(all.size());
  for (Pending& one : all) decisions.push_back(std::move(one.decision));
  return decisions;
}

/// Looks domains up by UUID without a search each.
std::unordered_map<Uuid, std::size_t> index_of(const Snapshot& snapshot) {
  std::unordered_map<Uuid, std::size_t> index;
  index.reserve(snapshot.domains.size());
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    index.emplace(snapshot.domains[i].uuid(), i);
  }
  return index;
}

/// The proposals by domain: those for domains of the snapshot at their place, the others by UUID.
struct Sorted {
  struct Slot {
    const Proposal* first = nullptr;
    std::size_t times = 0;
  };
  std::vector<Slot> known;
  std::map<Uuid, const Proposal*> unknown;
};

Sorted sorted(const Snapshot& snapshot, std::span<const Proposal> proposals) {
  Sorted result;
  result.known.resize(snapshot.domains.size());
  if (proposals.empty()) return result;
  const auto index = index_of(snapshot);
  for (const Proposal& proposal : proposals) {
    const auto found = index.find(proposal.domain);
    if (found == index.end()) {
      result.unknown.emplace(proposal.domain, &proposal);
      continue;
    }
    Sorted::Slot& slot = result.known[found->second];
    if (slot.times++ == 0) slot.first = &proposal;
  }
  return result;
}

Decision decision_for(const Proposal& proposal, MemorySize actual) {
  return {proposal.domain, actual, proposal.target, proposal.target, proposal.why, {}};
}

Decision unknown_domain(const Proposal& proposal) {
  Decision decision = decision_for(proposal, MemorySize());
  bite(decision, Rule::sane_target, MemorySize(), "no such domain");
  return decision;
}

Decision refused_twice(const Domain& domain, std::size_t times) {
  // Which of them came first must not matter, so none of them is told.
  Decision decision{domain.uuid(), domain.actual, domain.actual, domain.actual, {}, {}};
  bite(decision, Rule::sane_target, domain.actual,
       "the domain was proposed " + std::to_string(times) + " times");
  return decision;
}

/// What a shrink hands to the others: its domain's claim falls by so much.
MemorySize released(const Pending& one) {
  if (!one.decision.shrinks()) return {};
  return one.decision.actual - one.decision.target;
}

/// The second figure is so far above the one that was chosen that the operator should know.
bool far_above(MemorySize other, MemorySize chosen, MemorySize floor) {
  return other >= chosen * 2 && other >= floor * 2;
}

}  // namespace

HostBalance balance(const Snapshot& snapshot, const History& history, const Limits& limits) {
  MemorySize held_by_domains;
  MemorySize promised;
  for (const Domain& domain : snapshot.domains) {
    const DomainHistory* past = history.find(domain.uuid());
    const MemorySize rss = rss_of(domain, past);
    held_by_domains += rss;
    promised += claim_of(domain, past) - rss;
  }
  MemorySize headroom = host_headroom(snapshot.host, limits.headroom);
  if (limits.host_memory) headroom = std::min(headroom, *limits.host_memory - held_by_domains);
  const MemorySize taken = limits.host_floor + promised;
  return {headroom - taken, taken - headroom};
}

MemorySize grantable(const Snapshot& snapshot, const History& history, const Limits& limits) {
  return balance(snapshot, history, limits).grantable;
}

std::vector<Standing> assess(const Snapshot& snapshot, const History& history,
                             const Limits& limits) {
  std::vector<Standing> standings;
  standings.reserve(snapshot.domains.size());
  for (const Domain& domain : snapshot.domains) {
    const Case c = case_of(domain, snapshot, history, limits);
    standings.push_back({held(c), c.headroom, c.history});
  }
  return standings;
}

std::vector<Decision> review(const Snapshot& snapshot, const History& history,
                             std::span<const Proposal> proposals, const Limits& limits) {
  const Sorted by_domain = sorted(snapshot, proposals);
  std::vector<Pending> all;
  MemorySize released_by_all;
  bool grows = false;
  for (std::size_t i = 0; i < by_domain.known.size(); ++i) {
    const auto& [proposal, times] = by_domain.known[i];
    if (times == 0) continue;
    const Domain& domain = snapshot.domains[i];
    const Case c = case_of(domain, snapshot, history, limits);
    if (times > 1) {
      all.push_back({refused_twice(domain, times), &domain, c.history});
      continue;
    }
    all.push_back({decision_for(*proposal, domain.actual), &domain, c.history});
    Decision& decision = all.back().decision;
    if (auto why = insane(proposal->target); !why.empty()) {
      bite(decision, Rule::sane_target, domain.actual, std::move(why));
    } else {
      apply_domain_rules(c, decision);
    }
    released_by_all += released(all.back());
    grows = grows || decision.grows();
  }
  if (grows) {
    // What is owed is paid first: what the shrinks free is not all there is to give.
    const HostBalance host = balance(snapshot, history, limits);
    limit_grows(all, host.grantable + released_by_all - host.owed);
  }
  std::vector<Decision> decisions = decisions_of(std::move(all));
  for (const auto& [uuid, proposal] : by_domain.unknown) {
    decisions.push_back(unknown_domain(*proposal));
  }
  return decisions;
}

std::vector<Decision> settle(std::span<const Decision> decisions, const Snapshot& after_shrinks,
                             const History& history, const Limits& limits) {
  const auto index = index_of(after_shrinks);
  std::vector<Pending> all;
  for (const Decision& decision : decisions) {
    const auto found = index.find(decision.domain);
    if (found == index.end()) {
      all.push_back({decision, nullptr, nullptr});
      if (decision.grows()) {
        bite(all.back().decision, Rule::sane_target, decision.actual, "the domain has gone");
      }
      continue;
    }
    const Domain& domain = after_shrinks.domains[found->second];
    all.push_back({decision, &domain, history.find(decision.domain)});
  }
  limit_grows(all, grantable(after_shrinks, history, limits));
  return decisions_of(std::move(all));
}

std::vector<MemorySize> share_out(MemorySize total, std::span<const Want> wants) {
  const auto weight = [&](std::size_t i) {
    const double w = wants[i].weight;
    return std::isfinite(w) && w > 0 ? w : 1.0;
  };
  // Whoever wants least for its weight is served first; the first that cannot be served in full
  // shows the level at which all the others end.
  std::vector<std::size_t> order(wants.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto level_wanted = [&](std::size_t i) {
    return static_cast<double>(wants[i].amount.kib()) / weight(i);
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return level_wanted(a) < level_wanted(b); });
  double weights = 0;
  for (const std::size_t i : order) weights += weight(i);

  std::vector<MemorySize> shares(wants.size());
  MemorySize left = total;
  for (const std::size_t i : order) {
    const MemorySize fair = weights > 0 ? left.scaled(std::min(1.0, weight(i) / weights)) : left;
    shares[i] = std::min({wants[i].amount, fair, left});
    left -= shares[i];
    weights -= weight(i);
  }
  return shares;
}

std::vector<Note> hints(const Snapshot& snapshot, std::span<const Decision> decisions,
                        const Limits& limits) {
  std::vector<Note> notes;
  if (limits.headroom == Headroom::usable) return notes;
  const auto bitten = [](const Decision& decision, Rule rule) {
    return std::any_of(decision.rules.begin(), decision.rules.end(),
                       [&](const RuleHit& hit) { return hit.rule == rule; });
  };
  const auto index =
      decisions.empty() ? std::unordered_map<Uuid, std::size_t>() : index_of(snapshot);
  bool host_held_back = false;
  for (const Decision& decision : decisions) {
    host_held_back =
        host_held_back || bitten(decision, Rule::host_floor) || bitten(decision, Rule::share_out);
    const auto found = index.find(decision.domain);
    if (found == index.end() || !bitten(decision, Rule::domain_floor)) continue;
    const Domain& domain = snapshot.domains[found->second];
    if (!domain.guest.usable || !domain.guest.unused ||
        !far_above(*domain.guest.usable, *domain.guest.unused, limits.domain_floor)) {
      continue;
    }
    notes.push_back(
        {Note::Severity::info, domain.name() +
                                   ": its floor holds memory back by what is unused, though far "
                                   "more is usable (page cache); --headroom usable goes by that"});
  }
  if (host_held_back && snapshot.host.available &&
      far_above(*snapshot.host.available, snapshot.host.free, limits.host_floor)) {
    notes.push_back({Note::Severity::info,
                     "host: its floor holds memory back by what is free, though far more is "
                     "available (page cache); --headroom usable goes by that"});
  }
  return notes;
}

}  // namespace memcoord::guard
