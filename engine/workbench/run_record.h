#pragma once
// The record of a run, moment by moment, in bounded memory: the data behind a report's charts,
// tables and events. Recorder makes it from a simulated run, HostRecorder (host_recorder.h) from
// the recorded ticks of a real one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/limits.h"
#include "engine/core/tick.h"
#include "engine/hypervisor/simulated/simulated_hypervisor.h"
#include "engine/observers/domain_story.h"
#include "engine/observers/event_selection.h"
#include "engine/observers/events.h"
#include "engine/workbench/simulation.h"

namespace memcoord::workbench {

/// One domain over the interval that ends at a moment.
struct DomainMoment {
  bool active = false;  ///< if false, the other fields mean nothing
  MemorySize actual;    ///< balloon size at the end of the interval
  /// Demand and its kernel: the largest in the interval. Of a recorded run: what the guest used,
  /// as far as it reported that (observers::use_of()).
  MemorySize need;
  MemorySize unused;        ///< the smallest in the interval; the true one, not the reported one
  MemorySize usable;        ///< likewise. Of a recorded run: both as reported
  bool stalled = false;     ///< at any time in the interval. Of a recorded run: short of memory
  bool oom = false;         ///< the guest's OOM killer ended the workload in the interval
  bool silent = false;      ///< no figures of the guest are known; only of a recorded run
  std::uint32_t rules = 0;  ///< guard rules that limited or refused a move: bit 1 << int(Rule)
};
/// The interval of `a` and the adjacent, later one of `b` as one.
DomainMoment merged(const DomainMoment& a, const DomainMoment& b);

/// The host over the same interval.
struct HostMoment {
  MemorySize free = {};     ///< the smallest
  MemorySize granted = {};  ///< all domains' balloon sizes at its end
  MemorySize need = {};     ///< the largest sum of the domains' needs
  bool active = true;       ///< if false, nothing was recorded
};
HostMoment merged(const HostMoment& a, const HostMoment& b);

struct DomainRecord {
  std::string name;
  MemorySize maximum;
  std::vector<DomainMoment> moments;  ///< one for each of RunRecord::times
  double stalled = 0;                 ///< share of its running time; short, of a recorded run
  int oom_kills = 0;
  observers::DomainStory story = {};
};

/// Sums over a recorded run, in the place of a score.
struct RecordedSums {
  std::uint64_t ticks = 0;
  std::uint64_t runs = 0;
  std::uint64_t failed_samples = 0;
  std::uint64_t policy_errors = 0;
  Duration recorded{};     ///< without gaps
  Duration under_floor{};  ///< time in which the host had less than its floor
  bool dry_run = false;    ///< of the newest tick
};

/// The whole run. A long run has fewer, longer intervals, and only the events that matter most.
struct RunRecord {
  std::string policy;
  std::string scenario;
  std::string summary;  ///< the scenario's
  Duration interval{};
  Duration duration{};
  Limits limits;
  MemorySize host_total;
  std::vector<Duration> times;  ///< the intervals' ends, since the start
  std::vector<HostMoment> host;
  std::vector<DomainRecord> domains;
  std::vector<observers::Event> events;
  observers::EventSelection::LeftOut events_left_out{};
  std::array<std::uint64_t, kRuleCount> rule_limits{};  ///< decisions that each rule changed
  Score score;                                          ///< of a simulated run
  WallTime start{};                                     ///< the time from which `times` count
  std::optional<RecordedSums> recorded = {};            ///< set in the record of a real run
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
    std::array<std::size_t, observers::kEventGroupCount> events =
        observers::EventSelection::kUsualMost;
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
  /// Returns whether its OOM killer has ended the workload since the tick before.
  bool take_domain(std::size_t place, const simulated::SimulatedDomain& domain,
                   const simulated::Model& model);
  void take_rules(const Tick& tick);
  void take_events(const Tick& tick, std::vector<observers::Event> kills);
  void halve();

  RunRecord record_;
  Bounds bounds_;
  std::size_t most_moments_;
  std::size_t ticks_per_moment_ = 1;
  std::size_t ticks_in_moment_ = 0;
  std::vector<Past> past_;
  int host_oom_kills_ = 0;
  std::optional<Duration> last_tick_;
  observers::EventFinder finder_;
  observers::EventSelection events_;
  observers::StoryTeller stories_;
  std::unordered_map<Uuid, std::size_t> places_;
};

}  // namespace memcoord::workbench
