#pragma once
// The guard: all safety rules stand here, and apply to every policy. Pure functions of values.
// docs/administration.md, "The guard", is the reference of its two tables.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/history.h"
#include "engine/core/limits.h"
#include "engine/core/policy.h"
#include "engine/core/snapshot.h"

namespace memcoord::guard {

// --- the tables ---

/// All that a rule for one domain may read.
struct RuleInput {
  const DomainView& view;
  const Limits& limits;
  MonotonicTime now;
  WallTime wall_time;
  MemorySize target;  ///< as the rules before left it
};

/// Words a reason, for the input that the rule was asked with: "would leave 60 MiB unused". A rule
/// returns one instead of a text, because most results are never shown.
using Reason = std::string (*)(const RuleInput&);

/// The target that a rule allows, and the reason where it differs from RuleInput::target.
struct RuleResult {
  MemorySize target;
  Reason why = nullptr;
};

/// A rule that skips the domain, whatever the target.
struct Precondition {
  Rule rule;
  std::string_view text;              ///< as in docs/administration.md
  Reason (*unmet)(const RuleInput&);  ///< why the domain is skipped; null where it is not
};

/// A rule that limits the target of one domain.
struct Bound {
  Rule rule;
  std::string_view text;  ///< as in docs/administration.md
  RuleResult (*limit)(const RuleInput&);
};

/// A rule that limits all grows together; settle() applies these once more.
struct SharedBound {
  Rule rule;
  std::string_view text;  ///< as in docs/administration.md
};

/// The rules in the order in which they apply: preconditions, bounds, shared bounds.
std::span<const Precondition> preconditions();
std::span<const Bound> bounds();
std::span<const SharedBound> shared_bounds();

/// Whether the domain's guest has reported, and not too long ago.
bool has_fresh_report(const RuleInput& input);
/// Whether fresh_stats allows a grow that it does not allow a shrink: the guest was short (under
/// Limits::low_domain()) at its last report, and all that is missing is a report since its balloon
/// moved. What the balloon has given since is known.
bool may_grow_unreported(const RuleInput& input);

// --- decisions ---

/// The situation at a snapshot that `history` has observed: each domain's eligibility and what the
/// host can give. Tick number and time are left to the caller. The arguments outlive the result.
Situation assess(const Snapshot& snapshot, const History& history, const Limits& limits);

/// Which targets need a fresh report. A grow back to a domain's earlier size needs none when sizes
/// are restored: it takes nothing from the guest.
enum class Freshness { of_all, of_shrinks };

/// Decides on the proposals: one decision a domain, in snapshot order, whatever the order of the
/// proposals. A domain proposed twice is refused; an unknown one is dropped, with a decision that
/// carries its UUID and sane_target. Grows may count on what the tick's own shrinks release;
/// settle() checks that against the host as it then is.
std::vector<Decision> review(const Situation& situation, std::span<const Proposal> proposals,
                             Freshness freshness = Freshness::of_all);
std::vector<Decision> review(const Snapshot& snapshot, const History& history,
                             std::span<const Proposal> proposals, const Limits& limits,
                             Freshness freshness = Freshness::of_all);

/// Decides on the grows again, after the shrinks were applied and the host was sampled once more:
/// shares out what the host has now. Never allows more than `decisions` did. Shrinks pass
/// unchanged.
std::vector<Decision> settle(std::span<const Decision> decisions, const Snapshot& after_shrinks,
                             const History& history, const Limits& limits);

// --- what the host and its NUMA nodes can give to grows (guard_supply.cpp) ---

/// What the host has to give before any shrink of this tick; grantable or shortfall is zero.
struct HostBalance {
  MemorySize grantable;  ///< what it may give to grows
  MemorySize shortfall;  ///< what must be released before it may give anything
  /// What must be released at once: the host is under its floor, or will be before guests can give
  /// again (in two ticks, and no less than two seconds) if its memory keeps falling as it did.
  /// Domains count with the memory that they may still touch; memory that shrinks under way will
  /// release is deducted.
  MemorySize rescue = {};
  /// The part of what shrinks under way will release that the host needs at once in the same way.
  MemorySize rescue_under_way = {};
  MemorySize committed = {};  ///< what all domains together may touch without asking
  MemorySize unbacked = {};   ///< the part of `committed` that is not resident yet
  MemorySize reserved = {};   ///< what Snapshot::reserves hold, less what their domains commit
  /// The part of the shortfall that is there for reserves alone: what shrinks under way will not
  /// release, and what they will.
  MemorySize reserves_lack = {};
  MemorySize reserves_under_way = {};
};

/// What a reserve still holds. A domain that has started is committed to memory by itself; its
/// reserve holds the rest.
MemorySize held(const Reserve& reserve, std::span<const DomainView> domains);

/// The domains of a snapshot with their past and the figures that follow from both. Whether a
/// domain is skipped, and what it can give and get, is not filled in.
std::vector<DomainView> views_of(const Snapshot& snapshot, const History& history,
                                 const Limits& limits);

/// The host's balance. Each domain is committed to the larger of its actual size and a grow in
/// flight, and to its QEMU's own memory; the part of that which rss does not show is unbacked.
/// `grantable` is the least of
///  - the host's headroom less the floor, what is unbacked and what merging of pages saves;
///  - the host's memory times the overcommit ratio, less the floor and all that is committed;
///  - the host's headroom less the floor, whatever the ratio;
///  - the budget, where one is set, less the floor and all that is committed;
/// each less what is reserved.
/// `domains` are the views_of() that snapshot.
HostBalance balance(const Snapshot& snapshot, std::span<const DomainView> domains,
                    const HostPace& pace, const Limits& limits);
/// The same, at a snapshot that `history` has observed.
HostBalance balance(const Snapshot& snapshot, const History& history, const Limits& limits);

/// A set of NUMA nodes that a domain is bound to, balanced like a host of its own; grantable or
/// shortfall is zero.
struct NodePool {
  NodeSet nodes;
  MemorySize grantable;  ///< what it may give to grows, before any shrink
  MemorySize shortfall;  ///< what must be released before it may give anything
  bool known = true;     ///< the host reports what is free on each of the nodes
  double share = 0;      ///< of memory that may lie on any node of the host, the part expected here
};

/// A pool for each set that a domain of the snapshot is bound to, larger sets first. `reserved`
/// counts as memory that may lie on any node.
std::vector<NodePool> node_pools(const Host& host, std::span<const DomainView> domains,
                                 const Limits& limits, MemorySize reserved);

/// Whether the domain, or one of its cells, gets its memory from these nodes alone.
bool draws_on(const Domain& domain, const NodeSet& nodes);
/// Whether no memory of the domain lies outside these nodes.
bool lies_within(const Domain& domain, const NodeSet& nodes);
/// The part of a domain's amount that is expected to lie in the pool. Memory that may lie on
/// other nodes too is divided by the headroom of each: the kernel takes it where memory is free.
MemorySize amount_in(const NodePool& pool, const Domain& domain, MemorySize amount,
                     const Host& host, Headroom kind);
/// The smallest `grantable` of the pools that a domain draws on; largest() where it is not bound.
MemorySize grantable_by(const std::vector<NodePool>& pools, const Domain& domain);

/// One part in a sharing. A weight counts as 1e-100 to 1e100, and as 1 if it is no number over 0.
struct Want {
  MemorySize amount;
  double weight = 1.0;
};
/// Splits `total` among wants by weighted max-min fairness: no want gets more than its amount, and
/// the others share what a smaller want leaves. Independent of order. The shares are whole KiB and
/// sum to at most `total`. The level rises for all alike, by weight, and a want that is served in
/// full drops out (Bertsekas and Gallager, Data Networks, section 6.5.2, "progressive filling").
std::vector<MemorySize> share_out(MemorySize total, std::span<const Want> wants);

}  // namespace memcoord::guard
