#pragma once
// A recorded host as a scenario, so that other policies can run on the same demand; and more
// domains than were recorded.

#include <cstddef>

#include "engine/core/memory_size.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/journal_demand.h"
#include "engine/workbench/trace.h"

namespace memcoord::workbench {

/// The host as it was recorded: its memory, or the guests' budget where one was set; what it used
/// itself; its domains with their settings, the sizes that they began with, and their demand. A
/// guest's swap is as large as its maximum: a shortage stalls it. A domain starts and stops with
/// the first and the last row in which it ran; while it did not run in between, it is idle.
simulated::Scenario recorded_scenario(const Trace& trace, const RecordedHost& host);

/// The memory that guests can have on the recorded host: its memory less the most that it used
/// itself, or the guests' budget if that is less. The host's floor is part of it.
MemorySize memory_for_guests(const RecordedHost& host);

/// The limits with the guests' budget left out: recorded_scenario() and memory_for_guests() have
/// it.
Limits without_budget(Limits limits);

/// The trace with copies of its domains, as many as a host of this size cannot serve even on
/// average, and at least so many in all; at most kMostCopies of each. A copy's demand is shifted in
/// time, and goes round at the end: by whole days if the trace lasts at least two, and by a few
/// minutes besides. Its peaks so come at the same time of the day, but not in the same second.
inline constexpr std::size_t kMostCopies = 15;
Trace with_copies(Trace trace, MemorySize host, std::size_t at_least = 0);

}  // namespace memcoord::workbench
