#pragma once
// What the host's memory is used for, how much more it can promise, and whether more guests fit:
// figures of one tick, for people and programs that look at the host as a whole. Pure functions of
// the guard's figures.

#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include "engine/core/memory_size.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"

namespace memcoord {

/// The host's memory as one stack of parts, which add up to Host::total exactly.
///
/// The host's headroom, by Limits::headroom, is divided in this order: the floor, what the guard
/// grants, what domains are committed to, the reserved rest. All other memory is in use: by guests
/// as far as their rss goes, by the host otherwise.
struct HostStack {
  /// The host itself: its kernel, processes and pools of hugepages; its page cache too where
  /// Limits::headroom is unused.
  MemorySize used;
  MemorySize backed;    ///< in use by guests and their QEMU; pages that KSM merged count once
  MemorySize unbacked;  ///< free, but committed to guests, as far as there is memory for it
  MemorySize grantable;
  MemorySize floor;  ///< free and kept for the host, as far as it is there
  /// Free, but kept back: for guests that start (Snapshot::reserves), for merged pages that a write
  /// may part again, by a budget or an overcommit ratio under 1.
  MemorySize reserved;
  /// Not a part of the stack: what domains are committed to beyond the host's memory. Over 0 with a
  /// shortfall, or with an overcommit ratio over 1.
  MemorySize uncovered;
};
/// The stack at a tick whose sample worked.
HostStack stack_of(const Tick& tick);

/// How much more the host can promise to guests that are to start.
struct HostHeadroom {
  /// The times for which `within` has a figure.
  static constexpr std::array kTimes{std::chrono::seconds(1), std::chrono::seconds(10),
                                     std::chrono::seconds(60)};
  MemorySize grantable;    ///< now
  MemorySize reclaimable;  ///< what shrinks add to that once they have covered the shortfall
  std::array<MemorySize, kTimes.size()> within;  ///< after these times, `grantable` included
  MemorySize reserved;                           ///< what the host holds for guests that start
  [[nodiscard]] MemorySize in_all() const { return grantable + reclaimable; }
};
/// The headroom at a tick whose sample worked, on a run with this interval. A later tick takes the
/// same share of what guests can still give as this tick may (Limits::max_reclaim, and the floors),
/// and gets no more than one share a second. It is the guard's bound: a guest that releases memory
/// more slowly than it is asked to delays it, and a guest that needs more lowers it.
HostHeadroom headroom_at(const Tick& tick, Duration interval);

/// Whether more guests fit, all of them together.
struct Fit {
  enum class Kind {
    now,               ///< in what is grantable
    after_reclaiming,  ///< in that and what shrinks of the other guests may take
    no,
  };
  Kind kind = Kind::no;
  MemorySize needed;       ///< the guests' maxima and what their QEMUs usually take besides
  MemorySize grantable;    ///< now
  MemorySize reclaimable;  ///< what shrinks add to that once they have covered the shortfall
  /// The first of HostHeadroom::kTimes after which they fit, if they do and not now; none: later.
  std::optional<std::chrono::seconds> within = {};
};
std::string_view to_text(Fit::Kind kind);
/// What a guest with this maximum may take when it starts, with what its QEMU usually takes.
MemorySize needed_to_start(MemorySize maximum);
/// Whether guests with these maxima fit. A guest counts with its maximum, because it may touch all
/// of it before its balloon driver answers. It is bound to no NUMA node.
Fit fit_of(std::span<const MemorySize> maxima, const HostHeadroom& headroom);

}  // namespace memcoord
