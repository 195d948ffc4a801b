#pragma once
// What of a domain's figures can be true. A driver that cannot read a counter, or a guest that
// lies, reports figures that no guest can have: memcoord decides without them.

#include <string>
#include <vector>

#include "engine/core/history.h"
#include "engine/core/snapshot.h"
#include "engine/core/tick_parts.h"

namespace memcoord {

/// Takes the figures that cannot be true out of the snapshot: those over the domain's maximum or
/// over the guest's own total, counters that no guest reaches, counters that have risen faster
/// than any guest can since the report in `history`, and an rss that no process has. Call it before
/// History::observe(). Returns what it took out, in snapshot order. A second call takes out nothing
/// more.
std::vector<DroppedFigure> drop_impossible(Snapshot& snapshot, const History& history);

/// Memory that is plugged into the domain but not online in its guest, as far as the guest's total
/// tells: estimated low, and 0 where the difference may be what the kernel keeps for itself.
MemorySize offline_memory(const Domain& domain);

}  // namespace memcoord
