#pragma once
// The interface to policies: values in, proposals out.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/history.h"
#include "engine/core/limits.h"

namespace memcoord {

/// Why no decision may touch a domain this tick.
struct Skipped {
  std::optional<Rule> rule;  ///< none for a domain that is excluded or unsuitable
  std::string why;           ///< one clause: "is paused"
};

/// One domain of the snapshot, with the figures that the guard derives for this tick. The domain
/// and its past are not owned; they live as long as the Situation.
struct DomainView {
  DomainView(const Domain& observed, const DomainHistory& past)
      : domain(observed), balloon(past.balloon), samples(past.samples) {}

  const Domain& domain;
  const BalloonTracker& balloon;
  const DomainSamples& samples;
  MemorySize committed = {};  ///< what the domain may touch without asking, QEMU's own part aside
  MemorySize resident = {};   ///< host memory that its process holds, by the newest known figure
  /// The part of `committed` and of QEMU's own memory that its process does not hold.
  MemorySize unbacked = {};
  MemorySize ceiling = {};   ///< the largest target: its own, configured and cgroup's maximum
  MemorySize headroom = {};  ///< in the chosen figure, less what the balloon has taken since
  std::optional<MemorySize> usable = {};  ///< likewise; none where the guest does not report it
  bool reports_headroom = false;          ///< where not, `headroom` is 0
  bool has_fresh_report = false;          ///< its guest has reported, and not too long ago
  /// Its guest was short at its last report, and has not reported since its balloon moved: it may
  /// grow further, and does not shrink. `headroom` and `usable` count `grown` as free.
  bool grows_only = false;
  MemorySize grown = {};  ///< what its balloon has given since that report
  /// What a shrink may take although the domain has just started: the host needs it at once, and no
  /// other domain can give it.
  MemorySize in_grace = {};
  /// Set where the guard skips the domain, whatever is proposed. A policy finds such a domain only
  /// in ctx.skipped.
  std::optional<Skipped> skipped = {};
  MemorySize reclaimable = {};  ///< the most that the guard lets a shrink take this tick
  /// The same over as many ticks as that takes: without the rule `gradual`.
  MemorySize reclaimable_in_all = {};
  /// What the guard would give to a grow this tick, before any shrink.
  MemorySize grantable = {};
};

/// All that a policy may read.
struct Situation {
  const Snapshot& snapshot;
  const Limits& limits;
  std::vector<DomainView> domains;  ///< in the order of Snapshot::domains
  MemorySize grantable;    ///< what the guard would give to grows this tick, before any shrink
  std::uint64_t tick = 1;  ///< counts from 1
  Duration since_last{};   ///< since the last tick; zero at the first
  MemorySize shortfall{};  ///< what must be released before the guard gives anything
  MemorySize rescue{};     ///< what the engine itself takes back at once
  /// What the host needs at once of the memory that shrinks under way will release.
  MemorySize rescue_under_way{};
  MemorySize reserved{};  ///< what the host holds for guests that start: Snapshot::reserves
  /// What the engine itself takes back for reserves, and what of shrinks under way they need.
  MemorySize reserves_lack{};
  MemorySize reserves_under_way{};
  MemorySize committed{};  ///< what all domains together may touch without asking
  MemorySize unbacked{};   ///< the part of `committed` that is not resident yet

  /// The host's headroom, or what is left of the guests' budget (Limits::host_memory) where that is
  /// less.
  [[nodiscard]] MemorySize headroom() const;
};

/// A policy's answer.
struct PolicyAnswer {
  struct LogLine {
    Note::Severity severity = Note::Severity::info;
    std::string text;
  };
  std::vector<Proposal> proposals;
  std::vector<LogLine> log;
  /// The policy wants the next tick this long after this one, if that is earlier than the interval.
  std::optional<Duration> again = {};
  std::vector<Uuid> refresh = {};  ///< guests that are to report before the next tick
};

/// Decides what to propose. May keep state between ticks; reads no clock, does no I/O.
class Policy {
 public:
  virtual ~Policy() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  /// Proposals for one tick. An error costs this tick only.
  virtual Result<PolicyAnswer> decide(const Situation& situation) = 0;
};

}  // namespace memcoord
