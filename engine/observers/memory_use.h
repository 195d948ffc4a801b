#pragma once
// What the memory of the host and of a guest is used for, and whether the host has enough of it.

#include <cstddef>
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

/// Whether the host has enough memory for its guests. Memory at hand is what it can grant in this
/// tick, and what shrinks can take in it, less a shortfall.
enum class HostState {
  fine,  ///< neither of the others
  /// The host limits a grow, has a shortfall over kToleratedShortfall, or has less than kTightShare
  /// of its memory (budget) at hand.
  tight,
  /// A domain stays short of memory because the host has none or too little for it, the host is
  /// under its floor, or guests cannot release the shortfall up to kToleratedShortfall.
  short_of_memory,
};
inline constexpr std::size_t kHostStateCount = 3;
inline constexpr double kTightShare = 0.05;
/// A shortfall that is no cause for alarm: committed memory that no guest touches, which the engine
/// reclaims slowly.
inline constexpr MemorySize kToleratedShortfall = MemorySize::from_mib(64);
/// "fine", "tight", "short".
std::string_view to_text(HostState state);

struct HostVerdict {
  HostState state = HostState::fine;
  std::string text;  ///< why, in one sentence or two
};
/// The verdict on a tick whose sample worked. `domains` are its domain_ticks().
HostVerdict verdict_on(const Tick& tick, const std::vector<DomainTick>& domains);

}  // namespace memcoord::observers
