#include "engine/core/guard.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/core/guard_nodes.h"
#include "engine/core/guard_rules.h"

namespace memcoord::guard {
namespace {

/// What the guest has to spare now: what it reports, less what its balloon has taken since.
std::optional<MemorySize> spare_now(std::optional<MemorySize> reported, MemorySize taken) {
  return reported ? std::optional(*reported - taken) : std::nullopt;
}

/// The case of the domain at a position in the snapshot.
Case case_of(std::size_t position, const Snapshot& snapshot, const History& history,
             const Limits& limits) {
  const Domain& domain = snapshot.domains[position];
  const DomainHistory* past = history.find(domain.uuid(), position);
  const MemorySize taken = past ? past->shrunk_since_report(domain) : MemorySize();
  const auto reported = headroom_of(domain, limits.headroom);
  return {domain,
          past,
          limits,
          snapshot.taken_at,
          snapshot.wall_time,
          reported.has_value(),
          spare_now(reported, taken).value_or(MemorySize()),
          spare_now(domain.guest.usable, taken)};
}

/// Why a domain is none of memcoord's business, or empty.
std::string_view why_not_ours(const Domain& domain) {
  if (!domain.identity->unsuitable.empty()) return domain.identity->unsuitable;
  if (domain.settings().exclude) return "excluded by its settings";
  return {};
}

std::optional<Standing::Held> held(const Case& c) {
  if (const auto why = why_not_ours(c.domain); !why.empty()) {
    return Standing::Held{std::nullopt, std::string(why)};
  }
  for (const NamedRule& rule : holding_rules()) {
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

void apply_domain_rules(const Case& c, Decision& decision, Freshness freshness) {
  if (const auto why = why_not_ours(c.domain); !why.empty()) {
    bite(decision, Rule::sane_target, decision.actual, std::string(why));
    return;
  }
  for (const NamedRule& rule : domain_rules()) {
    if (decision.holds()) return;
    const bool waived = freshness == Freshness::of_shrinks && decision.grows();
    if (rule.name == Rule::fresh_stats && waived) continue;
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

/// Whether the balloon rests as near to a target that it was sent to before as its guest's pages
/// let it: to send it there again would move nothing.
bool rests_at(const Case& c, MemorySize target) {
  if (!c.history || !c.history->last_move() || !c.history->last_move()->reached) return false;
  const MemorySize actual = c.domain.actual;
  const MemorySize beside = actual > target ? actual - target : target - actual;
  return c.history->last_move()->target == target && beside < kLargestGuestPage;
}

/// A decision on its way, with the domain it is about.
struct Pending {
  Decision decision;
  const Domain* domain;
  const DomainHistory* history;
};

/// What a grow takes besides what its domain has claimed before.
MemorySize taken_by(const Pending& one) {
  if (!one.decision.grows()) return {};
  return one.decision.target - claim_of(*one.domain, one.history);
}

/// A supply that grows want together more of than there is.
struct Shortage {
  MemorySize available;
  bool alone;  ///< one domain alone wants it
  Units units;
};

void cut_by_host(Decision& decision, MemorySize after, const Shortage& shortage) {
  if (shortage.available.is_zero()) {
    bite(decision, Rule::host_floor, after, "the host has nothing to give above its floor");
  } else {
    bite(decision, shortage.alone ? Rule::host_floor : Rule::share_out, after,
         "the host can give " + shortage.available.text(shortage.units) +
             (shortage.alone ? "" : " to all"));
  }
}

void cut_by_nodes(const NodePool& pool, Decision& decision, MemorySize after,
                  const Shortage& shortage) {
  const bool one = pool.nodes.size() == 1;
  const std::string nodes = (one ? "node " : "nodes ") + to_text(pool.nodes);
  std::string why = nodes + " can give " + shortage.available.text(shortage.units);
  if (!shortage.alone) why += " to all that are bound there";
  if (shortage.available.is_zero()) {
    why = nodes + (one ? " has" : " have") + " nothing to give above " + (one ? "its" : "their") +
          " part of the host's floor";
  }
  if (!pool.known) why = "the host does not tell what is free on " + nodes;
  bite(decision, Rule::numa_floor, after, std::move(why));
}

/// Where the grows together pass what there is, it is shared out; each keeps what it has claimed
/// before. `cut` makes a decision's target smaller, and says why.
template <class Cut>
void share_among(const std::vector<Pending*>& growing, MemorySize available, Units units, Cut cut) {
  std::vector<Want> wants;
  wants.reserve(growing.size());
  MemorySize wanted;
  std::size_t wanting = 0;
  for (const Pending* one : growing) {
    const MemorySize amount = taken_by(*one);
    wants.push_back({amount, one->domain->settings().weight});
    wanted += amount;
    wanting += amount.is_zero() ? 0 : 1;
  }
  if (wanted <= available) return;
  const std::vector<MemorySize> shares = share_out(available, wants);
  for (std::size_t i = 0; i < growing.size(); ++i) {
    if (shares[i] == wants[i].amount) continue;
    Decision& decision = growing[i]->decision;
    const MemorySize missing = wants[i].amount - shares[i];
    cut(decision, std::max(decision.actual, decision.target - missing),
        Shortage{available, wanting == 1, units});
  }
}

/// What there is to give to grows.
struct Supply {
  MemorySize by_host;
  std::vector<NodePool> pools;  ///< none where no grow is of a bound domain
  const Host& host;
  Headroom headroom;
  Units units;
};

/// numa_floor. `others`: grows that the pool's nodes may have to serve as well, besides those of
/// domains bound there, are taken off first.
void limit_by_nodes(std::vector<Pending>& all, const Supply& supply, bool others) {
  for (const NodePool& pool : supply.pools) {
    MemorySize available = pool.grantable;
    std::vector<Pending*> growing;
    for (Pending& one : all) {
      if (!one.decision.grows()) continue;
      if (draws_on(*one.domain, pool.nodes)) {
        growing.push_back(&one);
      } else if (others) {
        available -= amount_in(pool, *one.domain, taken_by(one), supply.host, supply.headroom);
      }
    }
    share_among(growing, available, supply.units,
                [&](Decision& decision, MemorySize after, const Shortage& shortage) {
                  cut_by_nodes(pool, decision, after, shortage);
                });
  }
}

/// numa_floor, host_floor and share_out. What nodes cannot give to the domains bound to them is
/// left to the others; then what these take of the nodes is known.
void limit_grows(std::vector<Pending>& all, const Supply& supply) {
  limit_by_nodes(all, supply, false);
  std::vector<Pending*> growing;
  for (Pending& one : all) {
    if (one.decision.grows()) growing.push_back(&one);
  }
  share_among(growing, supply.by_host, supply.units, cut_by_host);
  limit_by_nodes(all, supply, true);
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
  Decision decision{proposal.domain, actual, proposal.target, proposal.target, proposal.why, {}};
  if (proposal.rule) {
    decision.rules.push_back({*proposal.rule, actual, proposal.target, proposal.why});
  }
  return decision;
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

bool any_bound_grows(const std::vector<Pending>& all) {
  return std::any_of(all.begin(), all.end(), [](const Pending& one) {
    return one.decision.grows() && !one.domain->identity->bound_to.empty();
  });
}

/// What there is before any shrink.
Supply supply_of(const std::vector<Pending>& all, const Snapshot& snapshot, const History& history,
                 const Limits& limits, MemorySize by_host) {
  Supply supply{by_host, {}, snapshot.host, limits.headroom, limits.units};
  if (any_bound_grows(all)) supply.pools = node_pools(snapshot, history, limits);
  return supply;
}

/// Shrinks give to the nodes that all memory of their domain lies on.
void add_released(Supply& supply, const std::vector<Pending>& all) {
  for (NodePool& pool : supply.pools) {
    for (const Pending& one : all) {
      if (one.decision.shrinks() && lies_within(*one.domain, pool.nodes)) {
        pool.grantable += released(one);
      }
    }
    pool.grantable -= pool.owed;
  }
}

}  // namespace

std::vector<Standing> assess(const Snapshot& snapshot, const History& history,
                             const Limits& limits) {
  std::vector<Standing> standings;
  standings.reserve(snapshot.domains.size());
  const std::vector<NodePool> pools = node_pools(snapshot, history, limits);
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Case c = case_of(i, snapshot, history, limits);
    Standing& standing = standings.emplace_back();
    standing.held = held(c);
    standing.headroom = c.headroom;
    standing.history = c.history;
    if (!standing.held) standing.releasable = releasable(c);
    if (!pools.empty()) standing.grantable_by_nodes = grantable_by(pools, c.domain);
  }
  return standings;
}

std::vector<Decision> review(const Snapshot& snapshot, const History& history,
                             std::span<const Proposal> proposals, const Limits& limits,
                             Freshness freshness) {
  return review(snapshot, history, proposals, limits, balance(snapshot, history, limits),
                freshness);
}

std::vector<Decision> review(const Snapshot& snapshot, const History& history,
                             std::span<const Proposal> proposals, const Limits& limits,
                             const HostBalance& host, Freshness freshness) {
  const Sorted by_domain = sorted(snapshot, proposals);
  std::vector<Pending> all;
  all.reserve(std::min(proposals.size(), snapshot.domains.size()));
  MemorySize released_by_all;
  bool grows = false;
  for (std::size_t i = 0; i < by_domain.known.size(); ++i) {
    const auto& [proposal, times] = by_domain.known[i];
    if (times == 0) continue;
    const Domain& domain = snapshot.domains[i];
    const Case c = case_of(i, snapshot, history, limits);
    if (times > 1) {
      all.push_back({refused_twice(domain, times), &domain, c.history});
      continue;
    }
    all.push_back({decision_for(*proposal, domain.actual), &domain, c.history});
    Decision& decision = all.back().decision;
    if (auto why = insane(proposal->target); !why.empty()) {
      bite(decision, Rule::sane_target, domain.actual, std::move(why));
    } else if (rests_at(c, decision.target)) {
      decision.target = decision.actual;
    } else {
      apply_domain_rules(c, decision, freshness);
    }
    released_by_all += released(all.back());
    grows = grows || decision.grows();
  }
  if (grows) {
    // What is owed is paid first: what the shrinks free is not all there is to give.
    Supply supply =
        supply_of(all, snapshot, history, limits, host.grantable + released_by_all - host.owed);
    add_released(supply, all);
    limit_grows(all, supply);
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
  all.reserve(decisions.size());
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
    all.push_back({decision, &domain, history.find(decision.domain, found->second)});
  }
  // A decision about a domain that has gone holds by now.
  limit_grows(all, supply_of(all, after_shrinks, history, limits,
                             grantable(after_shrinks, history, limits)));
  return decisions_of(std::move(all));
}

}  // namespace memcoord::guard
