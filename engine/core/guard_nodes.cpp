#include "engine/core/guard_nodes.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "engine/core/guard_rules.h"

namespace memcoord::guard {
namespace {

/// What a set of nodes has.
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

/// What of a domain's memory may lie on any node: all of it, or that of cells bound to none.
MemorySize unbound_part(const Domain& domain) {
  if (domain.identity->bound_to.empty()) return MemorySize::largest();
  MemorySize bound;
  for (const NodeBinding& binding : domain.identity->bound_to) {
    bound += binding.size.value_or(MemorySize::largest());
  }
  return domain.maximum - bound;
}

void bound_pool(NodePool& pool, MemorySize there, MemorySize taken) {
  pool.grantable = std::min(pool.grantable, there - taken);
  pool.owed = std::max(pool.owed, taken - there);
}

/// The same accounts as the host's (balance()), of some of its nodes.
NodePool pool_of(const NodeSet& nodes, const Snapshot& snapshot, const History& history,
                 const Limits& limits) {
  const Host& host = snapshot.host;
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
  // What merging saves may come apart on any node.
  MemorySize unbacked = host.merged.scaled(pool.share);
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Domain& domain = snapshot.domains[i];
    const MemorySize untouched = unbacked_of(domain, history.find(domain.uuid(), i));
    unbacked += amount_in(pool, domain, untouched, host, limits.headroom);
  }
  bound_pool(pool, sum.headroom + (capacity - host.total).scaled(share),
             floor + unbacked + (host.total - capacity).scaled(share));
  bound_pool(pool, sum.headroom, floor);
  return pool;
}

}  // namespace

std::vector<NodePool> node_pools(const Snapshot& snapshot, const History& history,
                                 const Limits& limits) {
  std::set<NodeSet> sets;
  for (const Domain& domain : snapshot.domains) {
    for (const NodeBinding& binding : domain.identity->bound_to) sets.insert(binding.nodes);
  }
  std::vector<NodePool> pools;
  pools.reserve(sets.size());
  for (const NodeSet& nodes : sets) pools.push_back(pool_of(nodes, snapshot, history, limits));
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

}  // namespace memcoord::guard
