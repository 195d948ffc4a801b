#pragma once
// A host with its domains, advanced through time. Deterministic: the same scenario and the same
// moves give the same bytes.

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/hypervisor.h"
#include "engine/core/snapshot.h"
#include "engine/hypervisor/simulated/guest.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::simulated {

/// What happened to the host, summed up over the run.
struct HostScore {
  double seconds = 0;
  double breach_seconds = 0;  ///< free memory was under the floor
  int oom_kills = 0;          ///< more was touched than memory and swap hold
};

/// One domain under simulation.
struct SimulatedDomain {
  const ScenarioDomain* plan = nullptr;  ///< not owned; the scenario lives in the host
  std::shared_ptr<const DomainIdentity> identity;
  Guest guest;
  std::size_t demand_cursor = 0;
  std::size_t cache_cursor = 0;
  Duration next_report{};
  std::optional<Duration> started;
  GuestStatistics report;  ///< the guest's newest
  bool active = false;
};

/// The simulated machine.
class SimulatedHost {
 public:
  /// `host_floor`: under it, seconds count as breach.
  explicit SimulatedHost(Scenario scenario, MemorySize host_floor = MemorySize::from_mib(200));

  /// Lets time pass up to a moment since the start; times past are ignored.
  void advance_to(Duration now, WallTime wall_time);
  [[nodiscard]] Duration now() const { return now_; }

  [[nodiscard]] Snapshot look(MonotonicTime taken_at, WallTime wall_time) const;
  Outcome set_target(const Move& move);

  [[nodiscard]] const Scenario& scenario() const { return *scenario_; }
  [[nodiscard]] const std::vector<SimulatedDomain>& domains() const { return domains_; }
  [[nodiscard]] const HostScore& score() const { return score_; }

 private:
  void step(Duration until, WallTime wall_time);
  void step_domain(SimulatedDomain& domain, Duration until, WallTime wall_time);
  void start_or_stop(SimulatedDomain& domain, Duration until);
  void report(SimulatedDomain& domain, WallTime wall_time) const;
  [[nodiscard]] bool has_fault(const SimulatedDomain& domain, Fault::Kind kind) const;
  [[nodiscard]] MemorySize rss(const SimulatedDomain& domain) const;
  [[nodiscard]] Domain look_at(const SimulatedDomain& domain) const;
  void account_for_host(double seconds);

  std::unique_ptr<const Scenario> scenario_;  // its domains are pointed to
  MemorySize host_floor_;
  std::vector<SimulatedDomain> domains_;
  Duration now_{};
  double used_by_domains_ = 0;  ///< KiB of rss
  bool over_limit_ = false;
  HostScore score_;
};

}  // namespace memcoord::simulated
