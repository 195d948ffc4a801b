#pragma once
// A simulated host with its domains, which advances through time; its Hypervisor interface; and the
// virtual clock that lets it run faster than time. Deterministic: the same scenario and the same
// moves give the same bytes. No threads.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/hypervisor.h"
#include "engine/core/snapshot.h"
#include "engine/core/time.h"
#include "engine/hypervisor/simulated/guest.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::simulated {

/// Sums over the host's run.
struct HostScore {
  double seconds = 0;
  double breach_seconds = 0;  ///< while free memory was under the floor
  int oom_kills = 0;          ///< more was touched than memory and swap hold
};

/// The simulated machine.
class SimulatedHost {
 public:
  /// `host_floor`: seconds with less free memory count as breach.
  explicit SimulatedHost(Scenario scenario, MemorySize host_floor = MemorySize::from_mib(200));

  /// Advances to a moment since the start; ignores moments that have passed. A time span in which
  /// nothing changes is one step. Whether memory runs out does not depend on the moments asked for.
  void advance_to(Duration now, WallTime wall_time);
  /// Advances every domain's state and score to now(): domains whose state is calm lag behind.
  void settle();
  [[nodiscard]] Duration now() const { return now_; }

  [[nodiscard]] Snapshot snapshot_at(MonotonicTime taken_at, WallTime wall_time) const;
  /// Outcomes: applied; vanished (no active domain); skipped (hung); failed (over its maximum).
  Outcome set_target(const Move& move);
  /// The domain's guest reports its present figures. A guest that is hung, paused, silent or
  /// without a driver does not.
  void refresh(const Uuid& domain);

  [[nodiscard]] const Scenario& scenario() const { return *scenario_; }
  /// In name order, inactive ones included.
  [[nodiscard]] const std::vector<SimulatedDomain>& domains() const { return domains_; }
  [[nodiscard]] const HostScore& score() const { return score_; }

 private:
  void step(Duration until);
  void start_or_stop(SimulatedDomain& domain, Duration until);
  void advance_domain(SimulatedDomain& domain, Duration until);
  [[nodiscard]] SimulatedDomain* find(const Uuid& uuid);
  void keep_rss(SimulatedDomain& domain);
  [[nodiscard]] Domain domain_now(const SimulatedDomain& domain) const;
  void account_for_host(double passed);
  void keep_host(Duration at);
  /// What the host has left, KiB; negative: more is touched than there is.
  [[nodiscard]] double left() const;
  /// The same of each node. Memory that is bound to no node lies where there is room.
  [[nodiscard]] std::vector<double> left_by_node() const;
  [[nodiscard]] bool out_of_memory() const;
  /// Whether the domains that are not calm could touch all memory that is left within a large step.
  [[nodiscard]] bool could_run_out() const;
  void stall_largest(double missing, double passed);

  std::unique_ptr<const Scenario> scenario_;  ///< the domains point into it
  MemorySize host_floor_;
  std::vector<SimulatedDomain> domains_;
  std::unordered_map<Uuid, std::size_t> places_;
  Duration now_{};
  Duration calm_until_{};       ///< of all domains
  WallTime origin_{};           ///< wall time at the scenario's start
  double used_by_domains_ = 0;  ///< KiB of rss
  double used_by_host_ = 0;     ///< KiB
  double merged_ = 0;           ///< KiB that KSM saves
  std::size_t use_cursor_ = 0;
  std::size_t merged_cursor_ = 0;
  bool over_limit_ = false;
  HostScore score_;
};

/// A clock that advances only by sleeping. It starts at a fixed moment, so that runs repeat.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override;
  bool sleep_for(Duration duration) override;

 private:
  MonotonicTime now_{};
};

/// The simulated host as a Hypervisor. It follows its clock: a VirtualClock, or the machine's for a
/// run in real time.
class SimulatedHypervisor final : public Hypervisor {
 public:
  /// The clock outlives the hypervisor. The scenario starts at the clock's present.
  SimulatedHypervisor(Scenario scenario, const Clock& clock,
                      MemorySize host_floor = MemorySize::from_mib(200));

  [[nodiscard]] std::string description() const override;
  Result<Snapshot> sample() override;
  /// The reports are of the moment of the request, and cost no virtual time: real ones show 3 ms
  /// later (measured).
  void refresh(std::span<const Uuid> domains, Duration patience) override;
  std::vector<Outcome> apply(std::span<const Move> moves) override;
  std::vector<Note> drain_notes() override;
  void close() override {}

  [[nodiscard]] const SimulatedHost& host() const { return host_; }
  [[nodiscard]] SimulatedHost& host() { return host_; }
  /// Advances the host to the clock's present without sampling it.
  void catch_up();
  /// The scenario has ended.
  [[nodiscard]] bool finished() const;

 private:
  const Clock& clock_;
  MonotonicTime start_;
  SimulatedHost host_;
  std::vector<int> oom_kills_noted_;  ///< of each domain
};

}  // namespace memcoord::simulated
