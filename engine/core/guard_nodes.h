#pragma once
// What the host's NUMA nodes can give to the domains that are bound to them. For the guard alone.

#include <vector>

#include "engine/core/history.h"
#include "engine/core/limits.h"
#include "engine/core/snapshot.h"

namespace memcoord::guard {

/// A set of nodes that a domain is bound to, as a host of its own; grantable or owed is zero.
struct NodePool {
  NodeSet nodes;
  MemorySize grantable;  ///< what it may give to grows, before any shrink
  MemorySize owed;       ///< what has to be freed before it may give anything
  bool known = true;     ///< the host tells what is free on each of the nodes
  double share = 0;      ///< of memory that may lie on any node of the host, what is expected here
};

/// A pool for each set that a domain of the snapshot is bound to, larger sets first.
std::vector<NodePool> node_pools(const Snapshot& snapshot, const History& history,
                                 const Limits& limits);

/// Whether the domain, or one of its cells, gets its memory from these nodes alone.
bool draws_on(const Domain& domain, const NodeSet& nodes);
/// Whether no memory of the domain lies outside these nodes.
bool lies_within(const Domain& domain, const NodeSet& nodes);

/// Of an amount that the domain takes, the part that is expected in the pool. What may lie on other
/// nodes too is divided by what each has: the kernel takes it where memory is free.
MemorySize amount_in(const NodePool& pool, const Domain& domain, MemorySize amount,
                     const Host& host, Headroom kind);

/// The least that the pools that a domain draws on may give; no limit where it is not bound.
MemorySize grantable_by(const std::vector<NodePool>& pools, const Domain& domain);

}  // namespace memcoord::guard
