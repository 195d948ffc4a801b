#pragma once
// The guard: all safety rules, and only here. No policy passes it by. Pure functions of values.
// docs/guard.md is the reference of its two tables.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/guard_supply.h"
#include "engine/core/history.h"
#include "engine/core/limits.h"
#include "engine/core/policy.h"
#include "engine/core/snapshot.h"
#include "engine/core/tick_parts.h"

namespace memcoord::guard {

/// All that a rule for one domain may look at.
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

/// The target that a rule allows, and the reason where that is another one than it was given.
struct RuleResult {
  MemorySize target;
  Reason why = nullptr;
};

/// A rule that skips the domain, whatever the target.
struct Precondition {
  Rule rule;
  std::string_view text;              ///< as in docs/guard.md
  Reason (*unmet)(const RuleInput&);  ///< why the domain is skipped; null where it is not
};

/// A rule that limits the target of one domain.
struct Bound {
  Rule rule;
  std::string_view text;  ///< as in docs/guard.md
  RuleResult (*limit)(const RuleInput&);
};

/// A rule that limits all grows together; settle() applies these once more.
struct SharedBound {
  Rule rule;
  std::string_view text;  ///< as in docs/guard.md
};

/// The rules in the order in which they apply: preconditions, bounds, shared bounds.
std::span<const Precondition> preconditions();
std::span<const Bound> bounds();
std::span<const SharedBound> shared_bounds();

/// The situation at a snapshot that `history` has observed: how every domain stands and what the
/// host can give. Tick number and time are left to the caller. The arguments outlive the result.
Situation assess(const Snapshot& snapshot, const History& history, const Limits& limits);

/// Which targets need a report that can be trusted. A grow back to what a domain had harms only the
/// host, whatever its guest says.
enum class Freshness { of_all, of_shrinks };

/// What of the proposals may be done: one decision a domain, in snapshot order, whatever the order
/// of the proposals. A domain proposed twice is refused; an unknown one is dropped, with a decision
/// that carries its UUID and sane_target. Grows may count on what the tick's own shrinks release;
/// settle() checks that against the host as it then is.
std::vector<Decision> review(const Situation& situation, std::span<const Proposal> proposals,
                             Freshness freshness = Freshness::of_all);
std::vector<Decision> review(const Snapshot& snapshot, const History& history,
                             std::span<const Proposal> proposals, const Limits& limits,
                             Freshness freshness = Freshness::of_all);

/// The grows again, after the shrinks were applied and the host was sampled once more: what is
/// really there is shared out. Never allows more than `decisions` did. Shrinks pass unchanged.
std::vector<Decision> settle(std::span<const Decision> decisions, const Snapshot& after_shrinks,
                             const History& history, const Limits& limits);

/// The balance of the host at a snapshot that `history` has observed.
HostBalance balance(const Snapshot& snapshot, const History& history, const Limits& limits);

}  // namespace memcoord::guard
