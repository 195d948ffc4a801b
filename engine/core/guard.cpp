#include "engine/core/guard.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace memcoord::guard {
namespace {

RuleInput input_of(const DomainView& view, const Snapshot& snapshot, const Limits& limits,
                   MemorySize target) {
  return {view, limits, snapshot.taken_at, snapshot.wall_time, target};
}

/// The first precondition that a domain does not meet. The target does not matter.
std::optional<Skipped> skipped(const RuleInput& input) {
  for (const Precondition& precondition : preconditions()) {
    const Reason why = precondition.unmet(input);
    if (why == nullptr) continue;
    const bool ours = precondition.rule != Rule::sane_target;
    return Skipped{ours ? std::optional(precondition.rule) : std::nullopt, why(input)};
  }
  return std::nullopt;
}

/// Over how many ticks a shrink may be spread.
enum class Ticks { one, many };

/// The most that the bounds let a shrink take.
MemorySize reclaimable(RuleInput input, Ticks ticks) {
  const MemorySize actual = input.view.domain.actual;
  input.target = MemorySize();
  for (const Bound& bound : bounds()) {
    if (ticks == Ticks::many && bound.rule == Rule::gradual) continue;
    input.target = bound.limit(input).target;
    if (input.target == actual) break;
  }
  return actual - input.target;
}

/// Sets the target that a rule allows, with the reason. A rule that limits a decision again, in
/// settle() after review(), stands in it once, with its last result.
void limit_to(Decision& decision, Rule rule, MemorySize after, std::string why) {
  if (!decision.rules.empty() && decision.rules.back().rule == rule) {
    decision.rules.back().after = after;
    decision.rules.back().why = std::move(why);
  } else {
    decision.rules.push_back({rule, decision.target, after, std::move(why)});
  }
  decision.target = after;
}

void apply_bounds(RuleInput input, Decision& decision) {
  for (const Bound& bound : bounds()) {
    if (decision.holds()) return;
    input.target = decision.target;
    const RuleResult result = bound.limit(input);
    if (result.target == decision.target) continue;
    limit_to(decision, bound.rule, result.target, result.why(input));
  }
}

void apply_rules(const RuleInput& input, Decision& decision, Freshness freshness) {
  if (const auto& skipped = input.view.skipped) {
    if (!skipped->rule) {
      return limit_to(decision, Rule::sane_target, decision.actual, skipped->why);
    }
    const bool waived = skipped->rule == Rule::fresh_stats && freshness == Freshness::of_shrinks &&
                        decision.grows();
    if (!waived && !decision.holds()) {
      return limit_to(decision, *skipped->rule, decision.actual, skipped->why);
    }
  }
  if (input.view.grows_only && decision.shrinks()) {
    return limit_to(decision, Rule::fresh_stats, decision.actual,
                    "no report since its last balloon move");
  }
  apply_bounds(input, decision);
}

constexpr MemorySize kLargestTarget = MemorySize::from_kib(std::uint64_t{1} << 63U);

/// Why a target cannot be meant; empty: it can.
std::string why_senseless(MemorySize target) {
  if (target.is_zero()) return "a target of 0";
  if (target > kLargestTarget) return "a target larger than any memory";
  return {};
}

/// Whether the balloon rests at a target that was set before, as near as its guest's pages allow:
/// setting it again would move nothing.
bool rests_at(const DomainView& view, MemorySize target) {
  const auto& move = view.balloon.last_move();
  if (!move || !move->reached || move->target != target) return false;
  const MemorySize actual = view.domain.actual;
  const MemorySize beside = actual > target ? actual - target : target - actual;
  return beside < kLargestGuestPage;
}

/// A decision under way, with the domain that it is about.
struct Pending {
  Decision decision;
  const DomainView* view;  ///< null where the domain has gone
};

/// What a grow takes beyond what its domain is committed to.
MemorySize taken_by(const Pending& one) {
  if (!one.decision.grows()) return {};
  return one.decision.target - one.view->committed;
}

/// What a shrink releases for grows: its domain's committed memory falls by this much.
MemorySize released(const Pending& one) {
  if (!one.decision.shrinks()) return {};
  return one.decision.actual - one.decision.target;
}

/// A supply that is smaller than the grows that draw on it.
struct Shortage {
  MemorySize available;
  bool alone;  ///< one domain alone wants it
  Units units;
};

void limit_by_host(Decision& decision, MemorySize after, const Shortage& shortage,
                   bool any_reserved) {
  if (shortage.available.is_zero()) {
    const std::string kept = any_reserved ? "its floor and reserves" : "its floor";
    limit_to(decision, Rule::host_floor, after, "the host has nothing to give above " + kept);
  } else {
    limit_to(decision, shortage.alone ? Rule::host_floor : Rule::share_out, after,
             "the host can give " + shortage.available.text(shortage.units) +
                 (shortage.alone ? "" : " to all"));
  }
}

void limit_by_pool(const NodePool& pool, Decision& decision, MemorySize after,
                   const Shortage& shortage) {
  const bool one = pool.nodes.size() == 1;
  const std::string nodes = (one ? "node " : "nodes ") + to_text(pool.nodes);
  std::string why = nodes + " can give " + shortage.available.text(shortage.units);
  if (!shortage.alone) why += " to all that are bound there";
  if (shortage.available.is_zero()) {
    why = nodes + (one ? " has" : " have") + " nothing to give above " + (one ? "its" : "their") +
          " part of the host's floor";
  }
  if (!pool.known) why = "the host does not report what is free on " + nodes;
  limit_to(decision, Rule::numa_floor, after, std::move(why));
}

/// Shares `available` out where the grows together want more; each domain keeps what it is
/// committed to. `limit` lowers a decision's target and gives the reason.
template <class Limit>
void share_among(const std::vector<Pending*>& growing, MemorySize available, Units units,
                 Limit limit) {
  std::vector<Want> wants;
  wants.reserve(growing.size());
  MemorySize wanted;
  std::size_t wanting = 0;
  for (const Pending* one : growing) {
    const MemorySize amount = taken_by(*one);
    wants.push_back({amount, one->view->domain.settings().weight});
    wanted += amount;
    wanting += amount.is_zero() ? 0 : 1;
  }
  if (wanted <= available) return;
  const std::vector<MemorySize> shares = share_out(available, wants);
  for (std::size_t i = 0; i < growing.size(); ++i) {
    if (shares[i] == wants[i].amount) continue;
    Decision& decision = growing[i]->decision;
    const MemorySize missing = wants[i].amount - shares[i];
    limit(decision, std::max(decision.actual, decision.target - missing),
          Shortage{available, wanting == 1, units});
  }
}

/// What the host and its nodes can give to grows.
struct Supply {
  MemorySize by_host;
  std::vector<NodePool> pools;  ///< none where no grow is of a bound domain
  bool any_reserved;            ///< the host holds memory for guests that start
  const Host& host;
  const Limits& limits;
};

/// Applies numa_floor. With `others`, first deducts the grows of domains that are not bound to a
/// pool's nodes but may take memory there.
void limit_by_nodes(std::vector<Pending>& all, const Supply& supply, bool others) {
  for (const NodePool& pool : supply.pools) {
    MemorySize available = pool.grantable;
    std::vector<Pending*> growing;
    for (Pending& one : all) {
      if (!one.decision.grows()) continue;
      if (draws_on(one.view->domain, pool.nodes)) {
        growing.push_back(&one);
      } else if (others) {
        available -=
            amount_in(pool, one.view->domain, taken_by(one), supply.host, supply.limits.headroom);
      }
    }
    share_among(growing, available, supply.limits.units,
                [&](Decision& decision, MemorySize after, const Shortage& shortage) {
                  limit_by_pool(pool, decision, after, shortage);
                });
  }
}

/// Applies numa_floor, host_floor and share_out. numa_floor comes first, so that the others share
/// what nodes cannot give to their own domains; it comes again once the others' grows are known.
void limit_grows(std::vector<Pending>& all, const Supply& supply) {
  limit_by_nodes(all, supply, false);
  std::vector<Pending*> growing;
  for (Pending& one : all) {
    if (one.decision.grows()) growing.push_back(&one);
  }
  share_among(growing, supply.by_host, supply.limits.units,
              [&](Decision& decision, MemorySize after, const Shortage& shortage) {
                limit_by_host(decision, after, shortage, supply.any_reserved);
              });
  limit_by_nodes(all, supply, true);
}

/// The supply of nodes before any shrink, with `by_host` as the host's.
Supply supply_of(const std::vector<Pending>& all, const Host& host,
                 std::span<const DomainView> domains, const Limits& limits, MemorySize by_host,
                 MemorySize reserved) {
  Supply supply{by_host, {}, !reserved.is_zero(), host, limits};
  const bool any_bound_grows = std::any_of(all.begin(), all.end(), [](const Pending& one) {
    return one.decision.grows() && !one.view->domain.identity->bound_to.empty();
  });
  if (any_bound_grows) supply.pools = node_pools(host, domains, limits, reserved);
  return supply;
}

/// Shrinks give to the nodes that all memory of their domain lies on.
void add_released(Supply& supply, const std::vector<Pending>& all) {
  for (NodePool& pool : supply.pools) {
    for (const Pending& one : all) {
      if (one.decision.shrinks() && lies_within(one.view->domain, pool.nodes)) {
        pool.grantable += released(one);
      }
    }
    pool.grantable -= pool.shortfall;
  }
}

std::vector<Decision> decisions_of(std::vector<Pending> all) {
  std::vector<Decision> decisions;
  decisions.reserve(all.size());
  for (Pending& one : all) decisions.push_back(std::move(one.decision));
  return decisions;
}

/// Finds domains by UUID. Lookups in the domains' order need no search; the first one out of order
/// builds an index.
class DomainFinder {
 public:
  explicit DomainFinder(std::span<const DomainView> domains) : domains_(domains) {}

  std::optional<std::size_t> find(const Uuid& uuid) {
    for (; index_.empty() && next_ < domains_.size(); ++next_) {
      if (domains_[next_].domain.uuid() == uuid) return next_++;
    }
    if (index_.empty()) make_index();
    const auto found = index_.find(uuid);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void make_index() {
    index_.reserve(domains_.size());
    for (std::size_t i = 0; i < domains_.size(); ++i) {
      index_.emplace(domains_[i].domain.uuid(), i);
    }
  }

  std::span<const DomainView> domains_;
  std::size_t next_ = 0;
  std::unordered_map<Uuid, std::size_t> index_;
};

/// The proposals by domain: those for domains of the snapshot at their place, the others by UUID.
struct Sorted {
  struct Slot {
    const Proposal* first = nullptr;
    std::size_t times = 0;
  };
  std::vector<Slot> known;
  std::map<Uuid, const Proposal*> unknown;
};

Sorted sorted(std::span<const DomainView> domains, std::span<const Proposal> proposals) {
  Sorted result;
  if (proposals.empty()) return result;
  result.known.resize(domains.size());
  DomainFinder finder(domains);
  for (const Proposal& proposal : proposals) {
    const auto found = finder.find(proposal.domain);
    if (!found) {
      result.unknown.emplace(proposal.domain, &proposal);
      continue;
    }
    Sorted::Slot& slot = result.known[*found];
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
  limit_to(decision, Rule::sane_target, MemorySize(), "no such domain");
  return decision;
}

Decision refused_twice(const Domain& domain, std::size_t times) {
  // The order of the proposals must not matter, so the decision shows none of them.
  Decision decision{domain.uuid(), domain.actual, domain.actual, domain.actual, {}, {}};
  limit_to(decision, Rule::sane_target, domain.actual,
           "the domain was proposed " + std::to_string(times) + " times");
  return decision;
}

/// The decision on a proposal by the rules for one domain.
Decision reviewed(const RuleInput& input, const Proposal& proposal, Freshness freshness) {
  Decision decision = decision_for(proposal, input.view.domain.actual);
  if (auto why = why_senseless(proposal.target); !why.empty()) {
    limit_to(decision, Rule::sane_target, decision.actual, std::move(why));
  } else if (rests_at(input.view, proposal.target)) {
    decision.target = decision.actual;
  } else {
    apply_rules(input, decision, freshness);
  }
  return decision;
}

/// Lets domains that have just started give what the host needs at once and no other domain can
/// give. They may touch memory that the host does not have, and a host that runs out loses a whole
/// guest.
void lift_grace(Situation& situation) {
  if (situation.rescue.is_zero() && situation.rescue_under_way.is_zero()) return;
  MemorySize missing = situation.rescue;
  for (const DomainView& view : situation.domains) {
    missing -= view.reclaimable - view.balloon.coming_back(view.domain);
  }
  struct Started {
    DomainView* view;
    MemorySize coming;  ///< of a shrink under way
    MemorySize more;    ///< that it can give this tick
  };
  std::vector<Started> all;
  MemorySize more;
  const auto reclaim = [&](const DomainView& view, Ticks ticks) {
    return reclaimable(input_of(view, situation.snapshot, situation.limits, {}), ticks);
  };
  for (DomainView& view : situation.domains) {
    if (view.skipped || view.grows_only || !view.reclaimable.is_zero()) continue;
    // Its grace aside, what could it give? Nothing, where another rule holds it as well.
    view.in_grace = view.domain.actual;
    const MemorySize coming = view.balloon.coming_back(view.domain);
    all.push_back({&view, coming, reclaim(view, Ticks::one) - coming});
    more += all.back().more;
  }
  const double part =
      missing >= more ? 1.0 : static_cast<double>(missing.kib()) / static_cast<double>(more.kib());
  for (const Started& one : all) {
    one.view->in_grace = one.coming + one.more.scaled(part);
    one.view->reclaimable = reclaim(*one.view, Ticks::one);
    one.view->reclaimable_in_all = reclaim(*one.view, Ticks::many);
  }
}

}  // namespace

Situation assess(const Snapshot& snapshot, const History& history, const Limits& limits) {
  Situation situation{snapshot, limits, views_of(snapshot, history, limits), {}};
  const HostBalance host = balance(snapshot, situation.domains, history.host_pace(), limits);
  situation.grantable = host.grantable;
  situation.shortfall = host.shortfall;
  situation.rescue = host.rescue;
  situation.rescue_under_way = host.rescue_under_way;
  situation.committed = host.committed;
  situation.unbacked = host.unbacked;
  situation.reserved = host.reserved;
  situation.reserves_lack = host.reserves_lack;
  situation.reserves_under_way = host.reserves_under_way;
  const std::vector<NodePool> pools =
      node_pools(snapshot.host, situation.domains, limits, host.reserved);
  for (DomainView& view : situation.domains) {
    const RuleInput input = input_of(view, snapshot, limits, view.domain.actual);
    view.skipped = skipped(input);
    view.has_fresh_report = !view.skipped || has_fresh_report(input);
    view.grows_only = !view.skipped && may_grow_unreported(input);
    if (view.grows_only) {
      // Of memory that the balloon has given, the guest has reported no use yet.
      view.grown = view.balloon.grown_since_report(view.domain).value_or(MemorySize());
      view.headroom += view.grown;
      if (view.usable) *view.usable += view.grown;
    } else if (!view.skipped) {
      view.reclaimable = reclaimable(input, Ticks::one);
      view.reclaimable_in_all = reclaimable(input, Ticks::many);
    }
    view.grantable = std::min(host.grantable, grantable_by(pools, view.domain));
  }
  lift_grace(situation);
  return situation;
}

std::vector<Decision> review(const Situation& situation, std::span<const Proposal> proposals,
                             Freshness freshness) {
  const Snapshot& snapshot = situation.snapshot;
  const Sorted by_domain = sorted(situation.domains, proposals);
  std::vector<Pending> all;
  all.reserve(std::min(proposals.size(), situation.domains.size()));
  MemorySize released_by_all;
  bool grows = false;
  for (std::size_t i = 0; i < by_domain.known.size(); ++i) {
    const auto& [proposal, times] = by_domain.known[i];
    if (times == 0) continue;
    const DomainView& view = situation.domains[i];
    const RuleInput input = input_of(view, snapshot, situation.limits, proposal->target);
    all.push_back(
        {times > 1 ? refused_twice(view.domain, times) : reviewed(input, *proposal, freshness),
         &view});
    released_by_all += released(all.back());
    grows = grows || all.back().decision.grows();
  }
  if (grows) {
    // The shortfall comes first: grows do not get all that the shrinks release.
    Supply supply =
        supply_of(all, snapshot.host, situation.domains, situation.limits,
                  situation.grantable + released_by_all - situation.shortfall, situation.reserved);
    add_released(supply, all);
    limit_grows(all, supply);
  }
  std::vector<Decision> decisions = decisions_of(std::move(all));
  for (const auto& [uuid, proposal] : by_domain.unknown) {
    decisions.push_back(unknown_domain(*proposal));
  }
  return decisions;
}

std::vector<Decision> review(const Snapshot& snapshot, const History& history,
                             std::span<const Proposal> proposals, const Limits& limits,
                             Freshness freshness) {
  return review(assess(snapshot, history, limits), proposals, freshness);
}

std::vector<Decision> settle(std::span<const Decision> decisions, const Snapshot& after_shrinks,
                             const History& history, const Limits& limits) {
  const std::vector<DomainView> domains = views_of(after_shrinks, history, limits);
  DomainFinder finder(domains);
  std::vector<Pending> all;
  all.reserve(decisions.size());
  for (const Decision& decision : decisions) {
    const auto found = finder.find(decision.domain);
    all.push_back({decision, found ? &domains[*found] : nullptr});
    // A domain that has gone takes no grow.
    if (!found && decision.grows()) {
      limit_to(all.back().decision, Rule::sane_target, decision.actual, "the domain has gone");
    }
  }
  const HostBalance host = balance(after_shrinks, domains, history.host_pace(), limits);
  limit_grows(all,
              supply_of(all, after_shrinks.host, domains, limits, host.grantable, host.reserved));
  return decisions_of(std::move(all));
}

}  // namespace memcoord::guard
