#pragma once
// What the host's memory is used for, and whether one more guest fits: figures of one tick, for
// people and programs that look at the host as a whole. Pure functions of the guard's figures.

#include <string_view>

#include "engine/core/memory_size.h"
#include "engine/core/tick.h"

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
  /// Free, but kept back: for merged pages that a write may part again, by a budget or an
  /// overcommit ratio under 1.
  MemorySize reserved;
  /// Not a part of the stack: what domains are committed to beyond the host's memory. Over 0 with a
  /// shortfall, or with an overcommit ratio over 1.
  MemorySize uncovered;
};
/// The stack at a tick whose sample worked.
HostStack stack_of(const Tick& tick);

/// Whether one more guest fits.
struct Fit {
  enum class Kind {
    now,               ///< in what is grantable
    after_reclaiming,  ///< in that and what shrinks of the other guests may take
    no,
  };
  Kind kind = Kind::no;
  MemorySize needed;       ///< the guest's maximum and what its QEMU usually takes besides
  MemorySize grantable;    ///< now
  MemorySize reclaimable;  ///< what shrinks add to that once they have covered the shortfall
};
std::string_view to_text(Fit::Kind kind);
/// Whether a guest with this maximum fits beside the domains of a tick whose sample worked. It
/// counts with its maximum, because its guest may touch all of it before its balloon driver
/// answers. It is bound to no NUMA node.
Fit fit_of(MemorySize maximum, const Tick& tick);

}  // namespace memcoord
