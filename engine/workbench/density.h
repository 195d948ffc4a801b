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
#include "engine/workbench/clairvoyant.h"
#include "engine/workbench/shard.h"
#include "engine/workbench/simulation.h"
#include "engine/workbench/trace.h"

namespace memcoord::workbench {

struct DensityOptions {
  MemorySize host = MemorySize::from_gib(64);
  double stalled = 0.0001;  ///< the share of domain-time that may be stalled
  std::chrono::seconds footprint = std::chrono::minutes(10);  ///< see trailing_maximum()
  simulated::Plan::Shape shape = simulated::Plan::Shape::step;
  std::size_t orders = 10;  ///< random orders in which domains are added
  std::uint64_t seed = 1;
  Duration interval = kDefaultInterval;
  Duration min_interval = kDefaultMinInterval;  ///< between ticks, early ones included
  Limits limits;
  std::size_t threads = 0;  ///< 0: one per core
  std::size_t vms = 0;      ///< above 0: no search, one run with this many domains of the trace
  double fill = 0;          ///< above 0: likewise, with this share of the clairvoyant bound
  std::size_t hosts = 1;    ///< equal ones; density_hosts.h says which host gets which domain
  Shard shard;              ///< which cells to compute; a cell is an order on a host
};

/// The result of one order.
struct DensityOrder {
  std::size_t vms = 0;  ///< domains that the policy serves
  std::size_t static_sizing = 0;
  std::size_t bound = 0;    ///< clairvoyant_bound()
  std::size_t instant = 0;  ///< instant_allocator()
  Score score;              ///< of the run with `vms` domains
};

/// One order on one host.
struct DensityCell {
  std::size_t order = 0;  ///< from 0
  std::size_t host = 0;   ///< from 0
  DensityOrder figures;   ///< of the domains that the host gets
};

struct DensityResult {
  std::vector<DensityOrder> orders;  ///< over all hosts; complete only without a shard
  std::vector<DensityCell> cells;    ///< of the shard: by order, then by host
  std::size_t available = 0;         ///< domains in the trace
  std::size_t runs = 0;              ///< simulations of the search, ended ones too
};

/// The demand that follows from a trace's columns, a row for each of Trace::times.
DemandColumns demand_of(const Trace& trace, std::chrono::seconds footprint);

/// The numbers from 0 to domains - 1 in a random order, which depends on the seed alone: not on the
/// machine, and not on the standard library.
std::vector<std::size_t> random_order(std::size_t domains, std::uint64_t seed);

/// A host with these domains of a trace. Each starts with its first demand; the rest of the host's
/// memory is shared among them.
simulated::Scenario density_scenario(const Trace& trace, const DemandColumns& demand,
                                     std::span<const std::size_t> chosen,
                                     const DensityOptions& options);

/// Whether a run served its domains: the stalled share is within the limit, no workload was killed,
/// and the host was never under its floor.
bool is_served(const Score& score, double stalled_limit);

/// Called from several threads with the number of cells that are done, and the share of the work.
/// Nobody knows how many runs a search takes: each counts as half of what is left of its cell.
using DensityProgress = std::function<void(std::size_t done, double share)>;

/// Finds, for each order and host, the largest number of domains that the policy serves. A single
/// cell tries two numbers at a time, whatever the machine is. Calls `make_policy` from several
/// threads. Errors: those of the maker; policy_failed if the policy fails in a run.
Result<DensityResult> density_of(const Trace& trace, const PolicyMaker& make_policy,
                                 const DensityOptions& options,
                                 const DensityProgress& progress = {});

}  // namespace memcoord::workbench
