#pragma once
// The guard: every safety rule, here alone. Pure functions of values; no policy gets round them.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/history.h"
#include "engine/core/limits.h"
#include "engine/core/policy.h"
#include "engine/core/snapshot.h"
#include "engine/core/tick_parts.h"

namespace memcoord::guard {

/// How the host stands before any shrink of this tick; grantable or owed is zero.
struct HostBalance {
  MemorySize grantable;  ///< what it may give to grows
  MemorySize owed;       ///< what has to be freed before it may give anything
  /// What has to be freed at once: the host is under its floor, or will be before guests can give
  /// again (in two ticks, and no less than two seconds) if its memory goes on going as it did.
  /// Domains count as far as they may still touch more; what is on its way back is taken off.
  MemorySize rescue = {};
};
HostBalance balance(const Snapshot& snapshot, const History& history, const Limits& limits);

/// What the host may give to grows now. Each domain is committed to the larger of its actual size
/// and a grow in flight, and to its QEMU's own memory; what rss does not show of that is not backed
/// yet. The host gives no more than
///  - its headroom less the floor, less what is not backed, less what merging of pages saves;
///  - the host's memory times the overcommit ratio, less the floor, less all that is committed;
///  - its headroom less the floor, whatever the ratio;
///  - a budget, where one is set, less the floor, less all that is committed.
MemorySize grantable(const Snapshot& snapshot, const History& history, const Limits& limits);

/// The most that a domain's balloon may leave it: its own maximum, the configured one, and its
/// cgroup's limit less what its QEMU takes.
MemorySize ceiling_of(const Domain& domain, const DomainHistory* history);

/// How each domain stands: who is left alone whatever is proposed, and why. Parallel to
/// snapshot.domains.
std::vector<Standing> assess(const Snapshot& snapshot, const History& history,
                             const Limits& limits);

/// Which targets need a report that can be trusted. A grow back to what a domain had harms nobody
/// but the host, whatever its guest says.
enum class Freshness { of_all, of_shrinks };

/// What of the proposals may be done: one decision a domain, in snapshot order, whatever the order
/// of the proposals (a domain proposed twice is refused whole; an unknown one is dropped, with a
/// decision that carries its UUID and sane_target). Grows may count on what the tick's own shrinks
/// free; settle() checks that against the host as it then is. `host` is the balance() of the same
/// snapshot, history and limits.
std::vector<Decision> review(const Snapshot& snapshot, const History& history,
                             std::span<const Proposal> proposals, const Limits& limits,
                             const HostBalance& host, Freshness freshness = Freshness::of_all);
std::vector<Decision> review(const Snapshot& snapshot, const History& history,
                             std::span<const Proposal> proposals, const Limits& limits,
                             Freshness freshness = Freshness::of_all);

/// The grows again, after the shrinks were applied and the host was looked at once more: what is
/// really there is shared out. Never allows more than `decisions` did. Shrinks pass unchanged.
std::vector<Decision> settle(std::span<const Decision> decisions, const Snapshot& after_shrinks,
                             const History& history, const Limits& limits);

/// Splits `total` among wants, fairly: by weight, nobody more than it wants, what one does not need
/// goes to the others (weighted max-min fairness). Independent of order. Weights of 0 or less, or
/// not finite, count as 1. The shares are whole KiB and sum to at most `total`.
struct Want {
  MemorySize amount;
  double weight = 1.0;
};
std::vector<MemorySize> share_out(MemorySize total, std::span<const Want> wants);

/// Something worth saying once while it stays true; its text has figures, which change.
struct Hint {
  std::string topic;
  Note note;
};
/// With Headroom::unused in force: a domain or the host is short, and page cache that would count
/// as usable is far more than what counts.
std::vector<Hint> hints(const Snapshot& snapshot, MemorySize grantable, const Limits& limits);
/// The host is under its floor, and its domains can give less than it misses.
std::optional<Hint> cannot_be_rescued(const Situation& situation);

}  // namespace memcoord::guard
