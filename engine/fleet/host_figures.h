#pragma once
// What one memcoord says about its host, read from its metrics.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "engine/core/host_stack.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"

namespace memcoord::fleet {

/// A figure that this version of memcoord does not give is none, or an empty text.
struct HostFigures {
  std::string version;
  std::string policy;
  std::string host_state;  ///< "fine", "tight", "short"
  bool dry_run = false;
  bool fallback = false;  ///< the fallback policy decides, because the policy fails
  Duration since_tick{};  ///< the age of the last tick; never negative
  MemorySize total;
  MemorySize grantable;
  std::optional<MemorySize> committed;
  std::optional<MemorySize> shortfall;
  /// What may be promised after reclaiming everything that guests can spare; it includes what is
  /// grantable.
  std::optional<MemorySize> headroom;
  std::uint64_t domains = 0;
};

/// Reads the response of /metrics. `now` is this machine's time. Errors, without an object:
/// invalid_input (these are no metrics of memcoord, or figures that cannot be), unsupported (a
/// version without figures that the fleet needs), unavailable (memcoord cannot sample its host, or
/// makes no ticks: the rules of the alerts MemcoordDown and MemcoordBlind).
Result<HostFigures> figures_in(std::string_view metrics, WallTime now);

/// "tight, dry run"; "?" without a state.
std::string state_text(const HostFigures& figures);

/// What a host that is short lacks, for people; empty for every other host.
std::string shortage_text(const HostFigures& figures, Units units);

/// Whether one more guest with this maximum fits on a host, and the memory that is left over.
struct HostFit {
  Fit::Kind kind = Fit::Kind::no;
  MemorySize left;  ///< of what is grantable, or after reclaiming; zero if it does not fit
};
/// As fit_of(): the guest needs its maximum and what its QEMU usually takes. A host without
/// headroom figures, or in a dry run, has what is grantable alone.
HostFit fit_on(const HostFigures& figures, MemorySize maximum);

}  // namespace memcoord::fleet
