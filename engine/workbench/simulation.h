#pragma once
// Runs a policy on a simulated host in virtual time, through the same coordinator, guard and Lua
// bindings as on a real host, and computes the figures that judge the run.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/coordinator.h"
#include "engine/core/policy.h"
#include "engine/core/tick.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/hypervisor/simulated/simulated_hypervisor.h"

namespace memcoord::workbench {

/// One run's figures. Smaller is better in all but the first. docs/simulator.md defines them.
struct Score {
  double domain_seconds = 0;  ///< the running time of all domains together
  double stalled = 0;         ///< share of that time in which a guest's demand did not fit
  double deficit = 0;         ///< the memory that was missing, GiB-hours
  int guest_oom = 0;          ///< workloads that a guest's OOM killer ended
  int host_oom = 0;           ///< times that the host ran out of memory
  double breach_seconds = 0;  ///< time that the host was under its floor
  double overhead = 0;        ///< memory granted and not needed, as a share of the need
  double churn = 0;           ///< MiB that balloons moved, per domain and hour
  bool operator==(const Score&) const = default;
};

/// The figures of a simulated host so far. The caller calls settle() on the host first.
Score score_of(const simulated::SimulatedHost& host);

/// Makes a new policy for each run.
using PolicyMaker = std::function<Result<std::unique_ptr<Policy>>()>;

struct SimulationOptions {
  Duration interval = kDefaultInterval;
  /// The least time between ticks, early ones included (TickRhythm).
  Duration min_interval = kDefaultMinInterval;
  Limits limits;
  bool dry_run = false;       ///< nothing moves, not even to rescue the host
  bool keep_periods = false;  ///< guests report at the scenario's statistics periods alone
};

/// Callbacks during a run; each may be empty.
struct SimulationWatch {
  /// Called after each tick.
  std::function<void(const Tick&, simulated::SimulatedHost&)> tick = {};
  /// Called after each tick: true ends the run, whose result then covers the time until that tick.
  std::function<bool(simulated::SimulatedHost&)> give_up = {};
  /// Called once, after the last tick and its interval.
  std::function<void(simulated::SimulatedHost&)> end = {};
  std::vector<Observer*> observers = {};  ///< not owned
};

struct SimulationResult {
  Score score;
  std::uint64_t ticks = 0;
  std::uint64_t early_ticks = 0;    ///< of these, the ones before the interval had passed
  std::uint64_t policy_errors = 0;  ///< ticks in which the policy failed
  std::optional<Error> first_policy_error = {};
  bool gave_up = false;
};

/// Runs the scenario to its end under the policy.
SimulationResult simulate(simulated::Scenario scenario, std::unique_ptr<Policy> policy,
                          const SimulationOptions& options, const SimulationWatch& watch = {});

/// A policy that proposes nothing: static sizing.
std::unique_ptr<Policy> hold_everything();

/// Calls job(0) to job(count - 1) once each, on up to `threads` threads (0: one per core), and
/// returns when all are done. Jobs run concurrently: they share nothing that they write, and do not
/// throw.
void run_jobs(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& job);

}  // namespace memcoord::workbench
