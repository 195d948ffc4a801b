#pragma once
// The simulated host as a Hypervisor, and the virtual clock that lets it run faster than time.

#include <span>
#include <string>
#include <vector>

#include "engine/core/hypervisor.h"
#include "engine/core/time.h"
#include "engine/hypervisor/simulated/simulated_host.h"

namespace memcoord::simulated {

/// A clock that goes only when someone sleeps. It starts at a fixed moment, so that runs repeat.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override;
  bool sleep_for(Duration duration) override;

 private:
  MonotonicTime now_{};
};

/// The host follows the clock it is given: virtual, or the machine's for a run in real time.
class SimulatedHypervisor final : public Hypervisor {
 public:
  /// The clock outlives the hypervisor; the scenario starts at the clock's present.
  SimulatedHypervisor(Scenario scenario, const Clock& clock,
                      MemorySize host_floor = MemorySize::from_mib(200));

  [[nodiscard]] std::string description() const override;
  Result<Snapshot> sample() override;
  std::vector<Outcome> apply(std::span<const Move> moves) override;
  std::vector<Note> take_notes() override;
  void close() override {}

  [[nodiscard]] const SimulatedHost& host() const { return host_; }
  [[nodiscard]] SimulatedHost& host() { return host_; }
  /// Brings the host up to the clock's present, without a look at it.
  void catch_up();
  /// The scenario has been played to its end.
  [[nodiscard]] bool finished() const;

 private:
  const Clock& clock_;
  MonotonicTime start_;
  SimulatedHost host_;
  std::vector<int> oom_kills_told_;
};

}  // namespace memcoord::simulated
