#pragma once
// The record of one tick. Observers, which show or store ticks, read only this.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/policy.h"
#include "engine/core/snapshot.h"

namespace memcoord {

/// How long each part of a tick took, on the loop's clock.
struct Timings {
  Duration sample{};
  Duration decide{};
  Duration review{};
  Duration apply{};
  [[nodiscard]] Duration total() const { return sample + decide + review + apply; }
  bool operator==(const Timings&) const = default;
};

/// A domain that the guard skipped, whatever the policy proposed.
struct SkippedDomain {
  Uuid domain;
  std::optional<Rule> rule;
  std::string why;
  [[nodiscard]] bool paused_by_operator() const { return !rule && why.starts_with("paused"); }
  bool operator==(const SkippedDomain&) const = default;
};

/// The host's memory as the guard accounts for it, before the tick's moves.
struct HostAccount {
  MemorySize headroom;     ///< the host's, or what is left of the guests' budget where that is less
  MemorySize committed;    ///< what all domains together may touch without asking
  MemorySize unbacked;     ///< the part of `committed` that is not resident yet
  MemorySize shortfall;    ///< what must be released before the host can grant anything
  MemorySize reclaimable;  ///< what shrinks may take from all domains together this tick
  /// The same over as many ticks as that takes, while the guests need what they need now.
  MemorySize reclaimable_in_all;
  MemorySize reserved = {};  ///< what the host holds for guests that start
  bool operator==(const HostAccount&) const = default;
};

struct Tick {
  std::uint64_t number = 0;  ///< counts from 1
  std::string policy;        ///< its name
  std::string fallback;      ///< the fallback policy's name if it decided in the policy's place
  Limits limits;
  bool dry_run = false;
  /// Set in the record of a restoration, which is no tick of the loop: one decision for each domain
  /// that was or should have been moved, without a policy. `snapshot` is from before the
  /// restoration.
  bool restoring = false;
  Snapshot snapshot;                   ///< only its times where sample_error is set
  std::vector<DroppedFigure> dropped;  ///< figures that were removed from the snapshot
  MemorySize grantable;
  HostAccount account;  ///< not in the journal; replay derives it again
  /// Domains without a report, or whose newest one is too old, in snapshot order. Not in the
  /// journal.
  std::vector<Uuid> not_reporting;
  std::vector<SkippedDomain> skipped;
  std::vector<Proposal> proposals;
  std::vector<Decision> decisions;  ///< as finally allowed
  std::vector<Outcome> outcomes;
  /// The outcomes of earlier ticks' moves in doubt, learnt before deciding.
  std::vector<Outcome> late_outcomes;
  std::vector<Note> notes;
  std::optional<Error> sample_error;
  std::optional<Error> policy_error;
  Timings timings;
  /// The part of Timings::sample that was waiting for guests' reports. Not in the journal.
  Duration waited{};
  /// How soon after this tick the policy or the engine wants the next one, if that is earlier than
  /// the interval; zero: as soon as possible. Not in the journal.
  std::optional<Duration> again = {};

  /// Whether no policy decided: the policy failed, and no fallback policy decided in its place.
  [[nodiscard]] bool lacks_policy() const { return policy_error && fallback.empty(); }
};

/// Shows or stores ticks: console, journal, metrics.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void observe(const Tick& tick) = 0;
};

}  // namespace memcoord
