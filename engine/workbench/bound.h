#pragma once
// What any policy's density is measured against: static sizing below, and the clairvoyant bound
// above, which no real policy passes. docs/simulator.md, "Density".

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/core/limits.h"
#include "engine/core/memory_size.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::workbench {

/// What a domain needs over its demand for its own kernel, in the bound.
inline constexpr MemorySize kKernelNeed = MemorySize::from_mib(50);

/// One domain's demand at each row, all of the same length.
using DemandColumns = std::vector<std::vector<MemorySize>>;

/// The domains' demand over time.
struct DemandOverTime {
  DemandColumns columns;
  std::vector<std::chrono::seconds> holds;  ///< how long each row lasts
  /// How demand goes from one row to the next; the last row's stays.
  simulated::Plan::Shape shape = simulated::Plan::Shape::step;
};

/// How many domains, taken in the given order, fit by their provisioned sizes alone.
std::size_t static_sizing(MemorySize host, MemorySize host_floor,
                          std::span<const MemorySize> provisioned);

/// The largest n for which the first n domains of `order`, under an allocator that knows each
/// demand beforehand and leaves as few domains short as it can at each moment, are short for at
/// most the given share of all domain-time.
std::size_t clairvoyant_bound(MemorySize host, MemorySize host_floor, const DemandOverTime& demand,
                              std::span<const std::size_t> order, double stalled_limit);

/// The same for an allocator that knows no demand before it comes and keeps to the guard, but moves
/// memory at once, at the start of each row: the needs that miss least are met first; no domain is
/// shrunk to less than its need and the domain floor, so that one that is short keeps what it has.
/// What a policy could reach that saw everything the moment it happens; one that leaves others
/// short may still pass it. `maximums` are in the sequence of `order`, as static_sizing() has them.
std::size_t instant_allocator(MemorySize host, const Limits& limits, const DemandOverTime& demand,
                              std::span<const MemorySize> maximums,
                              std::span<const std::size_t> order, double stalled_limit);

}  // namespace memcoord::workbench
