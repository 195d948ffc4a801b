#pragma once
// A policy's run on a simulated host, in virtual time: the same engine, guard and bindings as on a
// real one.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/coordinator.h"
#include "engine/core/policy.h"
#include "engine/core/tick.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/score.h"

namespace memcoord::workbench {

/// Makes a fresh policy for each run.
using PolicyMaker = std::function<Result<std::unique_ptr<Policy>>()>;

/// How a run is made.
struct SimulationOptions {
  Duration interval = kDefaultInterval;
  Limits limits;
  bool dry_run = false;       ///< nothing moves, not even for the host's rescue
  bool keep_periods = false;  ///< guests report as the scenario says, however seldom
};

/// What a run may be watched by; each may be left out.
struct SimulationWatch {
  /// After each tick.
  std::function<void(const Tick&, simulated::SimulatedHost&)> tick = {};
  /// Whether to leave off, after each tick: the result is then that of the time up to there.
  std::function<bool(simulated::SimulatedHost&)> give_up = {};
  /// Once, after the last tick and the time behind it.
  std::function<void(simulated::SimulatedHost&)> end = {};
  std::vector<Observer*> observers = {};  ///< not owned
};

struct SimulationResult {
  Score score;
  std::uint64_t ticks = 0;
  std::uint64_t policy_errors = 0;  ///< ticks that the policy gave no answer for
  std::optional<Error> first_policy_error = {};
  bool gave_up = false;
};

/// Plays the scenario to its end under the policy.
SimulationResult simulate(simulated::Scenario scenario, std::unique_ptr<Policy> policy,
                          const SimulationOptions& options, const SimulationWatch& watch = {});

/// A policy that leaves every balloon as it is: what static sizing does.
std::unique_ptr<Policy> hold_everything();

}  // namespace memcoord::workbench
