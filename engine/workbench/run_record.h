#pragma once
// The record of a simulated run, moment by moment, in bounded memory: the data behind a report's
// charts, tables and events.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/limits.h"
#include "engine/core/tick.h"
#include "engine/hypervisor/simulated/simulated_hypervisor.h"
#include "engine/workbench/simulation.h"

namespace memcoord::workbench {

/// One domain over the interval that ends at a moment.
struct DomainMoment {
  bool active = false;      ///< if false, the other fields mean nothing
  MemorySize actual;        ///< balloon size at the end of the interval
  MemorySize need;          ///< demand and its kernel: the largest in the interval
  MemorySize unused;        ///< the smallest in the interval; the true one, not the reported one
  MemorySize usable;        ///< likewise
  bool stalled = false;     ///< at any time in the interval
  bool oom = false;         ///< the guest's OOM killer ended the workload in the interval
  std::uint32_t rules = 0;  ///< guard rules that limited or refused a move: bit 1 << int(Rule)
};

/// The host over the same interval.
struct HostMoment {
  MemorySize free;     ///< the smallest
  MemorySize granted;  ///< all domains' balloon sizes at its end
  MemorySize need;     ///< the largest sum of the domains' needs
};

struct DomainRecord {
  std::string name;
  MemorySize maximum;
  std::vector<DomainMoment> moments;  ///< one for each of RunRecord::times
  double stalled = 0;                 ///< share of its running time
  int oom_kills = 0;
};

/// One event of the run.
struct RunEvent {
  enum class Kind { move, limited, guest_oom, host_oom, policy_error };
  Duration at{};
  Kind kind = Kind::move;
  std::string domain;  ///< empty for an event of the host or of the policy
  std::string text;    ///< "512 MiB -> 317 MiB (-195 MiB): returned to the host"
};

/// The whole run. A long run has fewer, longer intervals, and only its first events.
struct RunRecord {
  std::string policy;
  std::string scenario;
  std::string summary;  ///< the scenario's
  Duration interval{};
  Duration duration{};
  Limits limits;
  MemorySize host_total;
  std::vector<Duration> times;  ///< the intervals' ends, since the scenario's start
  std::vector<HostMoment> host;
  std::vector<DomainRecord> domains;
  std::vector<RunEvent> events;
  std::uint64_t events_left_out = 0;
  std::array<std::uint64_t, kRuleCount> rule_limits{};  ///< decisions that each rule changed
  Score score;
};

/// A copy with at most `most_moments` intervals (at least one): adjacent intervals become one, so
/// that no peak and no stall is lost. Domains, events and figures stay.
RunRecord downsampled(const RunRecord& record, std::size_t most_moments);

/// Makes a RunRecord from the ticks of a run. When the record grows past its bounds, each two
/// adjacent intervals become one.
class Recorder {
 public:
  struct Bounds {
    std::size_t values = 400'000;  ///< moments times domains; at least 200 moments are kept
    std::size_t events = 2'000;
  };
  explicit Recorder(const simulated::Scenario& scenario) : Recorder(scenario, Bounds()) {}
  Recorder(const simulated::Scenario& scenario, Bounds bounds);

  /// Call it after each tick, with the tick's host.
  void take(const Tick& tick, simulated::SimulatedHost& host);
  /// Returns the record. Call it once, after the last tick.
  [[nodiscard]] RunRecord finish(simulated::SimulatedHost& host, Duration interval);

 private:
  struct Past {
    double stalled_seconds = 0;
    int oom_kills = 0;
  };
  void begin(const Tick& tick, const simulated::SimulatedHost& host);
  void open_interval(const simulated::SimulatedHost& host);
  void take_domain(std::size_t place, const simulated::SimulatedDomain& domain,
                   const simulated::Model& model);
  void take_rules(const Tick& tick);
  void update_from_events(const Tick& tick, Duration at);
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
