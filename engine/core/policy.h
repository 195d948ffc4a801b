#pragma once
// The interface to policies: values in, proposals out.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/history.h"
#include "engine/core/limits.h"
#include "engine/core/tick_parts.h"

namespace memcoord {

/// How one domain of the snapshot stands this tick; parallel to Snapshot::domains.
struct Standing {
  /// Set where the guard would leave the domain alone whatever is proposed, with the rule (or
  /// none, for domains that are excluded or unsuitable) and the reason. A policy sees such a domain
  /// only in ctx.silent.
  struct Held {
    std::optional<Rule> rule;
    std::string why;
  };
  std::optional<Held> held;
  MemorySize headroom;                     ///< in the chosen figure; 0 where held for lack of it
  const DomainHistory* history = nullptr;  ///< not owned; lives as long as the Situation
  MemorySize releasable = {};              ///< the most that the guard lets a shrink take this tick
  /// What the NUMA nodes that it is bound to may give it, before any shrink; no limit where it is
  /// not bound. Situation::grantable holds as well.
  MemorySize grantable_by_nodes = MemorySize::largest();
};

/// All that a policy may look at.
struct Situation {
  const Snapshot& snapshot;
  const Limits& limits;
  std::vector<Standing> standings;
  MemorySize grantable;    ///< what the guard would let out to grows this tick, before any shrink
  std::uint64_t tick = 1;  ///< counts from 1
  Duration since_last{};   ///< since the last tick; zero at the first
  MemorySize owed{};       ///< what has to be freed before the guard lets out anything
  MemorySize rescue{};     ///< what the engine itself takes back at once
};

/// A policy's answer.
struct PolicyAnswer {
  struct LogLine {
    Note::Severity severity = Note::Severity::info;
    std::string text;
  };
  std::vector<Proposal> proposals;
  std::vector<LogLine> log;
};

/// A policy. May keep state between ticks; reads no clock, does no I/O.
class Policy {
 public:
  virtual ~Policy() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  /// Proposals for one tick. An error costs this tick only.
  virtual Result<PolicyAnswer> decide(const Situation& situation) = 0;
};

}  // namespace memcoord
