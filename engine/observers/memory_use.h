#pragma once
// What the memory of the host and of a guest is used for, and whether the host has enough of it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/snapshot.h"
#include "engine/core/tick.h"
#include "engine/observers/shortage.h"

namespace memcoord::observers {

/// The parts of a domain's actual size, which add up to it.
struct GuestUse {
  MemorySize used;   ///< what the guest cannot give up without swapping, its kernel included
  MemorySize cache;  ///< page cache that it can give up
  MemorySize free;   ///< GuestStatistics::unused
};
/// None where the guest does not report its free memory. A report from before the balloon shrank
/// counts as far as the present size goes, free memory first.
std::optional<GuestUse> use_of(const Domain& domain);

/// Whether the host has enough memory for its guests.
enum class HostState {
  /// There is memory for whatever the guests needed in this tick, and some is left.
  fine,
  /// The host limits a grow, or it can grant and reclaim together less than kTightShare of its
  /// memory (or budget) in this tick.
  tight,
  /// More is committed than the host has (a shortfall), or a domain stays short of memory because
  /// the host has none or too little for it.
  short_of_memory,
};
inline constexpr double kTightShare = 0.05;
/// "fine", "tight", "short".
std::string_view to_text(HostState state);

struct HostVerdict {
  HostState state = HostState::fine;
  std::string text;  ///< why, in one sentence
};
/// The verdict on a tick whose sample worked. `domains` are its domain_ticks().
HostVerdict verdict_on(const Tick& tick, const std::vector<DomainTick>& domains);

}  // namespace memcoord::observers
