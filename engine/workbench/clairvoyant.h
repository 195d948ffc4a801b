#pragma once
// The baselines for a policy's figures: static sizing, and two idealised allocators.
// docs/simulator.md, "Density", compares them.

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/core/limits.h"
#include "engine/core/memory_size.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/simulation.h"

namespace memcoord::workbench {

/// The memory that a guest's kernel needs in addition to its workload's demand, in density runs and
/// their bounds.
inline constexpr MemorySize kKernelNeed = MemorySize::from_mib(50);

/// A column for each domain, with a value for each row.
using DemandColumns = std::vector<std::vector<MemorySize>>;

/// The domains' demand over time.
struct DemandOverTime {
  DemandColumns columns;
  std::vector<std::chrono::seconds> holds;  ///< how long each row lasts
  /// `step`: a row's demand holds until the next row. `ramp`: it changes evenly towards the next
  /// row's, and the last row's holds.
  simulated::Plan::Shape shape = simulated::Plan::Shape::step;
};

/// How many domains, in the given order, fit on the host with all of their provisioned memory.
std::size_t static_sizing(MemorySize host, MemorySize host_floor,
                          std::span<const MemorySize> provisioned);

/// The largest n for which an allocator that knows every demand beforehand, and leaves the fewest
/// possible domains short at each moment, serves the first n domains of `order`: they are short for
/// at most `stalled_limit` of their time (a share from 0 to 1).
std::size_t clairvoyant_bound(MemorySize host, MemorySize host_floor, const DemandOverTime& demand,
                              std::span<const std::size_t> order, double stalled_limit);

/// For how many domain-seconds that allocator leaves the chosen domains short from the start of
/// each row to the end, for demand of the shape `step`: a value for each row, and 0 for the end.
/// Once these are added to what a run has stalled so far, its result may be certain before its end.
std::vector<double> clairvoyant_short_from(MemorySize host, MemorySize host_floor,
                                           const DemandOverTime& demand,
                                           std::span<const std::size_t> chosen);

/// The same as clairvoyant_bound() for an allocator that knows only the current demand, keeps to
/// the guard's limits and moves memory without delay, at the start of each row. It serves the
/// domains that lack least first. It never shrinks a domain under its need and the domain floor, so
/// a domain that is short keeps its memory. A policy that shrinks short domains may serve more.
/// `maximums` has the sequence of `order`.
std::size_t instant_allocator(MemorySize host, const Limits& limits, const DemandOverTime& demand,
                              std::span<const MemorySize> maximums,
                              std::span<const std::size_t> order, double stalled_limit);

/// The figures of the clairvoyant allocator on a scenario: each domain has exactly what it needs at
/// each moment, and if the host has too little, the largest needs go short. Its moves cost nothing,
/// so it has no churn. A domain that the host starts with more memory than fits may keep it, as
/// under a policy. No policy stalls less under the same limits (with limits.overcommit of 1), or
/// lacks less memory. It takes each second's least needs.
Score clairvoyant_score(const simulated::Scenario& scenario, const Limits& limits);

}  // namespace memcoord::workbench
