#pragma once
// What happened in a simulated run, moment by moment: what reports draw.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/limits.h"
#include "engine/core/tick_parts.h"
#include "engine/core/time.h"
#include "engine/workbench/score.h"

namespace memcoord::workbench {

/// One domain over the stretch of time that ends at a moment.
struct DomainMoment {
  bool active = false;      ///< else nothing else counts
  MemorySize actual;        ///< at its end
  MemorySize need;          ///< demand and its kernel: the most in the stretch
  MemorySize unused;        ///< the least in the stretch, in truth rather than as reported
  MemorySize usable;        ///< so too
  bool stalled = false;     ///< at any moment of the stretch
  bool oom = false;         ///< its OOM killer ended the workload in the stretch
  std::uint32_t rules = 0;  ///< which guard rules bit: bit 1 << int(Rule)
};

/// The host, over the same stretch.
struct HostMoment {
  MemorySize free;     ///< the least
  MemorySize granted;  ///< the sum of actual
  MemorySize need;     ///< the sum of what the domains need
};

struct DomainRecord {
  std::string name;
  MemorySize maximum;
  std::vector<DomainMoment> moments;  ///< one for each of RunRecord::times
  double stalled = 0;                 ///< share of its time
  int oom_kills = 0;
};

/// A single event, for marks: a move, a guard rule that bit, a kill, an error of the policy.
struct RunEvent {
  enum class Kind { move, held_back, guest_oom, host_oom, policy_error };
  Duration at{};
  Kind kind = Kind::move;
  std::string domain;  ///< empty: the host's, or the policy's
  std::string text;    ///< "512 MiB -> 317 MiB (-195 MiB): returned to the host"
};

/// All of it. Bounded: long runs are kept in fewer, longer stretches, and of events the first
/// ones of each kind.
struct RunRecord {
  std::string policy;
  std::string scenario;
  std::string summary;  ///< the scenario's
  Duration interval{};
  Duration duration{};
  Limits limits;
  MemorySize host_total;
  std::vector<Duration> times;  ///< ends of the stretches, since the scenario's start
  std::vector<HostMoment> host;
  std::vector<DomainRecord> domains;
  std::vector<RunEvent> events;
  std::uint64_t events_left_out = 0;
  std::array<std::uint64_t, kRuleCount> rule_bites{};  ///< how often each rule bit in the whole run
  Score score;
};

}  // namespace memcoord::workbench
