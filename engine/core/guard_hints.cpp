// What the operator should be told when a floor bites.

#include <algorithm>
#include <string>
#include <unordered_set>

#include "engine/core/guard.h"

namespace memcoord::guard {
namespace {

/// The second figure is so far above the one that was chosen that the operator should know.
bool far_above(MemorySize other, MemorySize chosen, MemorySize floor) {
  return other >= chosen * 2 && other >= floor * 2;
}

bool bitten(const Decision& decision, Rule rule) {
  return std::any_of(decision.rules.begin(), decision.rules.end(),
                     [&](const RuleHit& hit) { return hit.rule == rule; });
}

bool has_far_more_usable(const Domain& domain, const Limits& limits) {
  return domain.guest.usable && domain.guest.unused &&
         far_above(*domain.guest.usable, *domain.guest.unused, limits.domain_floor);
}

}  // namespace

std::vector<Note> hints(const Snapshot& snapshot, std::span<const Decision> decisions,
                        const Limits& limits) {
  std::vector<Note> notes;
  if (limits.headroom == Headroom::usable) return notes;
  bool host_held_back = false;
  std::unordered_set<Uuid> held_back;
  for (const Decision& decision : decisions) {
    host_held_back =
        host_held_back || bitten(decision, Rule::host_floor) || bitten(decision, Rule::share_out);
    if (bitten(decision, Rule::domain_floor)) held_back.insert(decision.domain);
  }
  for (const Domain& domain : snapshot.domains) {
    if (!held_back.contains(domain.uuid()) || !has_far_more_usable(domain, limits)) continue;
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
