#pragma once
// A host with its domains, advanced through time. Deterministic: the same scenario and the same
// moves give the same bytes.

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
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
  Forces forces;  ///< what acted on it last
  std::size_t demand_cursor = 0;
  std::size_t cache_cursor = 0;
  Duration next_report{};
  std::optional<Duration> started;
  GuestStatistics report;   ///< the guest's newest
  GuestStatistics counted;  ///< at that report, as its kernel counts
  bool active = false;
  Duration at{};           ///< the moment that `guest` is the state of; others are behind it
  Duration calm_until{};   ///< until when that state stays as it is if nobody moves its balloon
  Duration reported_at{};  ///< the newest report's moment
  double rss = 0;          ///< KiB
};

/// The simulated machine.
class SimulatedHost {
 public:
  /// `host_floor`: under it, seconds count as breach.
  explicit SimulatedHost(Scenario scenario, MemorySize host_floor = MemorySize::from_mib(200));

  /// Lets time pass up to a moment since the start; times past are ignored. Stretches in which
  /// nothing changes are passed at a stroke.
  void advance_to(Duration now, WallTime wall_time);
  /// Brings every domain's state and score up to now().
  void settle();
  [[nodiscard]] Duration now() const { return now_; }

  [[nodiscard]] Snapshot look(MonotonicTime taken_at, WallTime wall_time) const;
  Outcome set_target(const Move& move);

  [[nodiscard]] const Scenario& scenario() const { return *scenario_; }
  [[nodiscard]] const std::vector<SimulatedDomain>& domains() const { return domains_; }
  [[nodiscard]] const HostScore& score() const { return score_; }

 private:
  void step(Duration until);
  void step_domain(SimulatedDomain& domain, Duration until);
  void advance_guest(SimulatedDomain& domain, Duration until) const;
  [[nodiscard]] bool is_calm(SimulatedDomain& domain) const;
  void start_or_stop(SimulatedDomain& domain, Duration until);
  void report(SimulatedDomain& domain, Duration until) const;
  void stamp_report(SimulatedDomain& domain, Duration until) const;
  [[nodiscard]] WallTime wall_time(Duration moment) const;
  [[nodiscard]] SimulatedDomain* find(const Uuid& uuid);
  void keep_rss(SimulatedDomain& domain);
  [[nodiscard]] Domain look_at(const SimulatedDomain& domain) const;
  void account_for_host(double seconds);
  void keep_host(Duration at);
  /// What the host has left, KiB; negative where more is touched than there is.
  [[nodiscard]] double left() const;
  /// The same of each node. Memory that is bound to no node lies where there is room.
  [[nodiscard]] std::vector<double> left_by_node() const;
  [[nodiscard]] bool out_of_memory() const;

  std::unique_ptr<const Scenario> scenario_;  // its domains are pointed to
  MemorySize host_floor_;
  std::vector<SimulatedDomain> domains_;  ///< in name order
  std::unordered_map<Uuid, std::size_t> places_;
  Duration now_{};
  Duration calm_until_{};       ///< of all domains
  WallTime origin_{};           ///< the wall's time at the scenario's start
  double used_by_domains_ = 0;  ///< KiB of rss
  double used_by_host_ = 0;     ///< KiB
  double merged_ = 0;           ///< KiB that merging of pages saves
  std::size_t use_cursor_ = 0;
  std::size_t merged_cursor_ = 0;
  bool over_limit_ = false;
  HostScore score_;
};

}  // namespace memcoord::simulated
