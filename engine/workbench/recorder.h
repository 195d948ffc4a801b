#pragma once
// Keeps what happens in a simulated run, for reports, in bounded memory.

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "engine/core/tick.h"
#include "engine/hypervisor/simulated/simulated_hypervisor.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench {

/// Takes every tick of a run. Where the moments grow too many, two become one.
class Recorder {
 public:
  struct Bounds {
    std::size_t values = 400'000;  ///< moments times domains; never fewer than 200 moments
    std::size_t events = 2'000;
  };
  explicit Recorder(const simulated::Scenario& scenario) : Recorder(scenario, Bounds()) {}
  Recorder(const simulated::Scenario& scenario, Bounds bounds);

  void take(const Tick& tick, simulated::SimulatedHost& host);
  /// The record, after the run.
  [[nodiscard]] RunRecord finish(simulated::SimulatedHost& host, Duration interval);

 private:
  struct Past {
    double stalled_seconds = 0;
    int oom_kills = 0;
  };
  void open_stretch(const simulated::SimulatedHost& host);
  void take_domain(std::size_t place, const simulated::SimulatedDomain& domain,
                   const simulated::Model& model);
  void take_rules(const Tick& tick);
  void take_events(const Tick& tick, Duration at);
  void add_event(RunEvent event);
  void halve();

  RunRecord record_;
  Bounds bounds_;
  std::size_t most_moments_;
  std::size_t ticks_per_moment_ = 1;
  std::size_t ticks_in_moment_ = 0;
  std::vector<Past> past_;
  int host_oom_kills_ = 0;
  std::unordered_map<Uuid, std::size_t> places_;
};

}  // namespace memcoord::workbench
