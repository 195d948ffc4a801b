#pragma once
// The guard's rules for one domain: a list, each entry a function of the same shape. For the guard
// alone; everyone else goes through guard.h.

#include <optional>
#include <span>
#include <string>

#include "engine/core/history.h"
#include "engine/core/limits.h"
#include "engine/core/snapshot.h"
#include "engine/core/tick_parts.h"

namespace memcoord::guard {

/// Everything that a rule for one domain may look at.
struct Case {
  const Domain& domain;
  const DomainHistory* history;
  const Limits& limits;
  MonotonicTime now;
  WallTime wall_time;
  bool reports_headroom;
  MemorySize headroom;               ///< 0 where the guest does not report it
  std::optional<MemorySize> usable;  ///< none where the guest does not report it
};

/// What the domain may hold without being asked again.
inline MemorySize claim_of(const Domain& domain, const DomainHistory* history) {
  return history ? history->claim(domain) : domain.actual;
}

/// What the domain may touch without asking, QEMU's own part included, and does not hold yet.
MemorySize unbacked_of(const Domain& domain, const DomainHistory* history);

/// What a rule makes of a target: the target it allows, and why where that is another.
struct Ruling {
  MemorySize target;
  std::string why;
};

struct NamedRule {
  Rule name;
  Ruling (*apply)(const Case&, MemorySize);
};

/// The rules in the order in which they apply. (sane_target comes before them, with the proposals;
/// numa_floor, host_floor and share_out after them, with all domains together.)
std::span<const NamedRule> domain_rules();
/// The first of them: where one bites, it does so whatever the target, and the policy need not see
/// the domain.
std::span<const NamedRule> holding_rules();

/// The most that a shrink may take, for a domain that no rule holds: what the rules above would
/// leave of a shrink to nothing.
MemorySize releasable(const Case& c);

}  // namespace memcoord::guard
