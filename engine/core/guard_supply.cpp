// What the host and its NUMA nodes can give to grows, and how it is shared among them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <set>
#include <tuple>

#include "engine/core/guard.h"

namespace memcoord {

MemorySize Situation::headroom() const {
  const MemorySize headroom = host_headroom(snapshot.host, limits.headroom);
  if (!limits.host_memory) return headroom;
  MemorySize resident;
  for (const DomainView& view : domains) resident += view.balloon.last_rss().value_or(MemorySize());
  return std::min(headroom, *limits.host_memory - resident);
}

}  // namespace memcoord

namespace memcoord::guard {
namespace {

// --- what one domain takes of the host ---

MemorySize resident_of(const DomainView& view) {
  if (view.domain.rss) return *view.domain.rss;
  if (!view.balloon.last_rss()) return {};
  // Its balloon may have given memory back since.
  return std::min(*view.balloon.last_rss(), memory_in_rss(view.domain, view.domain.actual) +
                                                view.balloon.overhead(view.domain));
}

MemorySize unbacked_of(const DomainView& view) {
  return memory_in_rss(view.domain, view.committed) + view.balloon.overhead(view.domain) -
         view.resident;
}

MemorySize ceiling_of(const DomainView& view) {
  const Domain& domain = view.domain;
  const MemorySize most =
      std::min(domain.settings().maximum.value_or(domain.maximum), domain.maximum);
  const auto& limit = domain.identity->hard_limit;
  if (!limit) return most;
  // The kernel kills a domain over this limit, so QEMU's own memory counts with its usual size at
  // least.
  const MemorySize overhead =
      std::max(view.balloon.overhead(domain), ProcessOverhead::usual(domain));
  return std::min(most, *limit - overhead);
}

void fill_headroom(DomainView& view, Headroom kind) {
  // The balloon may have taken memory since the report.
  const MemorySize taken = view.balloon.shrunk_since_report(view.domain);
  if (const auto reported = headroom_of(view.domain, kind)) {
    view.reports_headroom = true;
    view.headroom = *reported - taken;
  }
  if (view.domain.guest.usable) view.usable = *view.domain.guest.usable - taken;
}

// --- the host ---

/// The domains' part of the host's ordinary memory, summed.
struct Commitments {
  MemorySize backed;    ///< resident now
  MemorySize unbacked;  ///< committed on top of that
  MemorySize begun;     ///< of that, the part of domains that have just appeared or rebooted
  MemorySize coming;    ///< what shrinks under way will release
  [[nodiscard]] MemorySize all() const { return backed + unbacked; }
};

Commitments commitments(std::span<const DomainView> domains, MonotonicTime now, Duration grace) {
  Commitments sum;
  for (const DomainView& view : domains) {
    const MemorySize beside_rss =
        ordinary_memory(view.domain, view.committed) - memory_in_rss(view.domain, view.committed);
    const auto began = view.balloon.began_at();
    sum.backed += view.resident + beside_rss;
    sum.unbacked += view.unbacked;
    if (began && now - *began < grace) sum.begun += view.unbacked;
    sum.coming += view.balloon.coming_back(view.domain);
  }
  return sum;
}

/// Applies one bound to a balance: the amount that is there, and how much of it is taken.
template <class Balance>
void limit_balance(Balance& balance, MemorySize there, MemorySize taken) {
  balance.grantable = std::min(balance.grantable, there - taken);
  balance.shortfall = std::max(balance.shortfall, taken - there);
}

/// The number of observations that a rescue must last. A guest that gives memory now can give again
/// only after its next report: the memory must last until the tick after the next, or longer where
/// ticks are shorter than a report's period.
double observations_ahead(const HostPace& pace) {
  constexpr Duration kBetweenReports = std::chrono::seconds(1);
  constexpr double kAhead = 2;
  if (pace.between >= kBetweenReports || pace.between <= Duration()) return kAhead;
  return kAhead * static_cast<double>(kBetweenReports.count()) /
         static_cast<double>(pace.between.count());
}

/// What others than the domains take until guests can give again, if they go on as they do. A
/// single take, such as a pool of hugepages, does not continue; under the floor there is no time to
/// wait for a second one.
MemorySize expected_of_others(const HostPace& pace, bool under_floor) {
  const MemorySize others = under_floor ? pace.others : std::min(pace.others, pace.others_before);
  return others.scaled(observations_ahead(pace));
}

/// What the host needs at once, beyond what is there.
MemorySize to_rescue(MemorySize there, const Commitments& domains, const HostPace& pace,
                     MemorySize floor) {
  const MemorySize touched = std::max(
      std::min(pace.domains.scaled(observations_ahead(pace)), domains.unbacked), domains.begun);
  return floor + touched + expected_of_others(pace, there < floor) - there;
}

// --- NUMA nodes ---

struct NodeSum {
  MemorySize total;
  MemorySize headroom;
  std::size_t count = 0;
};

NodeSum sum_of(const Host& host, const NodeSet& nodes, Headroom kind) {
  NodeSum sum;
  for (const NumaCell& cell : host.cells) {
    if (!std::binary_search(nodes.begin(), nodes.end(), cell.id)) continue;
    sum.total += cell.total;
    sum.headroom += cell_headroom(cell, kind);
    ++sum.count;
  }
  return sum;
}

NodeSet all_nodes(const Host& host) {
  NodeSet nodes;
  for (const NumaCell& cell : host.cells) nodes.push_back(cell.id);
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

double ratio(MemorySize part, MemorySize whole) {
  if (whole.is_zero()) return 0;
  return static_cast<double>(part.kib()) / static_cast<double>(whole.kib());
}

/// Of memory that may lie on all of `whole`, the share expected on `nodes`.
double share_on(const NodeSet& nodes, const NodeSet& whole, const Host& host, Headroom kind) {
  NodeSet both;
  std::set_intersection(nodes.begin(), nodes.end(), whole.begin(), whole.end(),
                        std::back_inserter(both));
  return ratio(sum_of(host, both, kind).headroom, sum_of(host, whole, kind).headroom);
}

/// The part of a domain's memory that may lie on any node: all of it, or that of unbound cells.
MemorySize unbound_part(const Domain& domain) {
  if (domain.identity->bound_to.empty()) return MemorySize::largest();
  MemorySize bound;
  for (const NodeBinding& binding : domain.identity->bound_to) {
    bound += binding.size.value_or(MemorySize::largest());
  }
  return domain.maximum - bound;
}

/// The same accounts as the host's (balance()), of some of its nodes.
NodePool pool_of(const NodeSet& nodes, const Host& host, std::span<const DomainView> domains,
                 const Limits& limits, MemorySize reserved) {
  const NodeSet all = all_nodes(host);
  const NodeSum sum = sum_of(host, nodes, limits.headroom);
  const double share = ratio(sum.total, sum_of(host, all, limits.headroom).total);
  const MemorySize floor = limits.host_floor.scaled(share);
  const MemorySize capacity = host.total.scaled(limits.overcommit);
  NodePool pool{nodes,
                MemorySize::largest(),
                {},
                sum.count == nodes.size(),
                share_on(nodes, all, host, limits.headroom)};
  // Merged pages may need memory again on any node.
  const MemorySize held = reserved.scaled(pool.share);
  MemorySize unbacked = host.merged.scaled(pool.share) + held;
  for (const DomainView& view : domains) {
    unbacked += amount_in(pool, view.domain, view.unbacked, host, limits.headroom);
  }
  limit_balance(pool, sum.headroom + (capacity - host.total).scaled(share),
                floor + unbacked + (host.total - capacity).scaled(share));
  limit_balance(pool, sum.headroom, floor + held);
  return pool;
}

// --- sharing ---

/// A want with its place, and the level at which it is served in full.
struct Wanting {
  MemorySize amount;
  double weight;
  double level;
  std::size_t place;
};

/// Weights outside these bounds count as the nearest of them, so that sums and quotients of them
/// are finite.
constexpr double kLeastWeight = 1e-100;
constexpr double kMostWeight = 1e100;

double usable_weight(double given) {
  if (!std::isfinite(given) || given <= 0) return 1;
  return std::clamp(given, kLeastWeight, kMostWeight);
}

std::vector<Wanting> by_level(std::span<const Want> wants) {
  std::vector<Wanting> all;
  all.reserve(wants.size());
  for (std::size_t i = 0; i < wants.size(); ++i) {
    const double weight = usable_weight(wants[i].weight);
    all.push_back(
        {wants[i].amount, weight, static_cast<double>(wants[i].amount.kib()) / weight, i});
  }
  // Wants that differ only in their place must not change any sum below.
  std::sort(all.begin(), all.end(), [](const Wanting& a, const Wanting& b) {
    return std::tie(a.level, a.weight, a.amount) < std::tie(b.level, b.weight, b.amount);
  });
  return all;
}

}  // namespace

std::vector<DomainView> views_of(const Snapshot& snapshot, const History& history,
                                 const Limits& limits) {
  std::vector<DomainView> views;
  views.reserve(snapshot.domains.size());
  for (const Domain& domain : snapshot.domains) {
    const DomainHistory& past = history.of(domain, views.size());
    DomainView& view = views.emplace_back(domain, past);
    view.committed = past.balloon.committed(domain);
    view.resident = resident_of(view);
    view.unbacked = unbacked_of(view);
    view.ceiling = ceiling_of(view);
    fill_headroom(view, limits.headroom);
  }
  return views;
}

MemorySize held(const Reserve& reserve, std::span<const DomainView> domains) {
  const auto found = std::find_if(domains.begin(), domains.end(), [&](const DomainView& view) {
    return is_for(reserve, view.domain);
  });
  if (found == domains.end()) return reserve.size;
  const MemorySize committed =
      ordinary_memory(found->domain, found->committed) + found->balloon.overhead(found->domain);
  return reserve.size - std::max(committed, found->resident);
}

HostBalance balance(const Snapshot& snapshot, std::span<const DomainView> views,
                    const HostPace& pace, const Limits& limits) {
  const Commitments domains = commitments(views, snapshot.taken_at, limits.grace);
  const MemorySize total = snapshot.host.total;
  const MemorySize headroom = host_headroom(snapshot.host, limits.headroom);
  const MemorySize floor = limits.host_floor;
  const MemorySize capacity = total.scaled(limits.overcommit);
  // A ratio over 1 adds to what there is, one under 1 takes from it.
  const MemorySize added = capacity - total;
  const MemorySize removed = total - capacity;

  MemorySize reserved;
  for (const Reserve& reserve : snapshot.reserves) reserved += held(reserve, views);
  const MemorySize kept = floor + reserved;

  HostBalance host{MemorySize::largest(), MemorySize()};
  limit_balance(host, headroom + added, kept + domains.unbacked + snapshot.host.merged + removed);
  // Where rss and free together exceed the host's memory, pages are shared in a way that no figure
  // reports.
  limit_balance(host, capacity, kept + domains.all());
  limit_balance(host, headroom, kept);
  // What others are about to take is not there for grows.
  host.grantable -= expected_of_others(pace, false);
  if (limits.host_memory) limit_balance(host, *limits.host_memory, kept + domains.all());
  // Each bound above counts all that is reserved, so without reserves each lacks that much less.
  const MemorySize for_reserves = std::min(host.shortfall, reserved);
  host.reserved = reserved;
  host.reserves_under_way = std::min(for_reserves, domains.coming);
  host.reserves_lack = for_reserves - host.reserves_under_way;
  const MemorySize there = obtainable(snapshot.host);
  host.rescue = to_rescue(there + domains.coming, domains, pace, floor);
  host.rescue_under_way = to_rescue(there, domains, pace, floor) - host.rescue;
  host.committed = domains.all();
  host.unbacked = domains.unbacked;
  return host;
}

HostBalance balance(const Snapshot& snapshot, const History& history, const Limits& limits) {
  return balance(snapshot, views_of(snapshot, history, limits), history.host_pace(), limits);
}

std::vector<NodePool> node_pools(const Host& host, std::span<const DomainView> domains,
                                 const Limits& limits, MemorySize reserved) {
  std::set<NodeSet> sets;
  for (const DomainView& view : domains) {
    for (const NodeBinding& binding : view.domain.identity->bound_to) sets.insert(binding.nodes);
  }
  std::vector<NodePool> pools;
  pools.reserve(sets.size());
  for (const NodeSet& nodes : sets)
    pools.push_back(pool_of(nodes, host, domains, limits, reserved));
  std::stable_sort(pools.begin(), pools.end(), [](const NodePool& a, const NodePool& b) {
    return a.nodes.size() > b.nodes.size();
  });
  return pools;
}

bool draws_on(const Domain& domain, const NodeSet& nodes) {
  const auto& bound_to = domain.identity->bound_to;
  return std::any_of(bound_to.begin(), bound_to.end(),
                     [&](const NodeBinding& binding) { return includes(nodes, binding.nodes); });
}

bool lies_within(const Domain& domain, const NodeSet& nodes) {
  const auto& bound_to = domain.identity->bound_to;
  return unbound_part(domain).is_zero() &&
         std::all_of(bound_to.begin(), bound_to.end(),
                     [&](const NodeBinding& binding) { return includes(nodes, binding.nodes); });
}

MemorySize amount_in(const NodePool& pool, const Domain& domain, MemorySize amount,
                     const Host& host, Headroom kind) {
  MemorySize sum = std::min(amount, unbound_part(domain)).scaled(pool.share);
  for (const NodeBinding& binding : domain.identity->bound_to) {
    const MemorySize most = std::min(amount, binding.size.value_or(amount));
    sum += includes(pool.nodes, binding.nodes)
               ? most
               : most.scaled(share_on(pool.nodes, binding.nodes, host, kind));
  }
  return std::min(sum, amount);
}

MemorySize grantable_by(const std::vector<NodePool>& pools, const Domain& domain) {
  MemorySize least = MemorySize::largest();
  for (const NodePool& pool : pools) {
    if (draws_on(domain, pool.nodes)) least = std::min(least, pool.grantable);
  }
  return least;
}

std::vector<MemorySize> share_out(MemorySize total, std::span<const Want> wants) {
  const std::vector<Wanting> all = by_level(wants);
  // The weights from each place to the end, added up from the end so that none is ever negative.
  std::vector<double> weights(all.size() + 1);
  for (std::size_t i = all.size(); i-- > 0;) weights[i] = weights[i + 1] + all[i].weight;

  std::vector<MemorySize> shares(wants.size());
  MemorySize left = total;
  std::size_t served = 0;
  const auto fair = [&](const Wanting& one) {
    return left.scaled(std::min(1.0, one.weight / weights[served]));
  };
  for (; served < all.size(); ++served) {
    const Wanting& one = all[served];
    if (one.amount > fair(one)) break;
    shares[one.place] = std::min(one.amount, left);
    left -= shares[one.place];
  }
  // All wants that cannot be served in full end at the same level.
  MemorySize unshared = left;
  for (std::size_t i = served; i < all.size(); ++i) {
    const MemorySize share = std::min({fair(all[i]), all[i].amount, unshared});
    shares[all[i].place] = share;
    unshared -= share;
  }
  return shares;
}

}  // namespace memcoord::guard
