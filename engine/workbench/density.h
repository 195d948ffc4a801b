#pragma once
// How many of a trace's domains a policy serves on one host. docs/simulator.md, "Density".

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/limits.h"
#include "engine/core/time.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/bound.h"
#include "engine/workbench/score.h"
#include "engine/workbench/simulation.h"
#include "engine/workbench/trace.h"

namespace memcoord::workbench {

struct DensityOptions {
  MemorySize host = MemorySize::from_gib(64);
  double stalled = 0.0001;  ///< the share of domain-time that may be stalled
  std::chrono::seconds footprint = std::chrono::minutes(10);
  simulated::Plan::Shape shape = simulated::Plan::Shape::step;
  std::size_t orders = 10;  ///< random orders in which the domains come
  std::uint64_t seed = 1;
  Duration interval = kDefaultInterval;
  Limits limits;
  std::size_t threads = 0;  ///< 0: one a core
  std::size_t vms = 0;      ///< over 0: no search; the run of so many domains is judged
  double fill = 0;          ///< over 0: so too, with this share of the order's bound
};

/// What one order gave.
struct DensityOrder {
  std::size_t vms = 0;
  std::size_t static_sizing = 0;
  std::size_t bound = 0;
  std::size_t instant = 0;
  Score score;  ///< of the run with `vms` domains
};

struct DensityResult {
  std::vector<DensityOrder> orders;
  std::size_t available = 0;  ///< domains in the trace
  std::size_t runs = 0;       ///< simulated to find it
};

/// The demand that a trace's columns stand for, with the moments of Trace::times.
DemandColumns demand_of(const Trace& trace, std::chrono::seconds footprint);

/// The trace's domains in a random order; the same in every run and on every machine.
std::vector<std::size_t> random_order(std::size_t domains, std::uint64_t seed);

/// These domains of a trace on one host: each starts at its first demand, what is left is shared
/// out.
simulated::Scenario density_scenario(const Trace& trace, const DemandColumns& demand,
                                     std::span<const std::size_t> chosen,
                                     const DensityOptions& options);

/// Whether a run's domains were all served: at most this share of their time is stalled, no
/// workload was killed, the host was never under its floor.
bool is_served(const Score& score, double stalled_limit);

/// Called from several threads with the orders done and the share of the work that they are.
using DensityProgress = std::function<void(std::size_t done, double share)>;

/// Searches, for each order, the largest number of domains that the policy serves within the limit.
/// Calls `make_policy` from several threads at once. Errors: what the maker returns;
/// policy_failed where the policy gives no answer in a run.
Result<DensityResult> density_of(const Trace& trace, const PolicyMaker& make_policy,
                                 const DensityOptions& options,
                                 const DensityProgress& progress = {});

}  // namespace memcoord::workbench
