#pragma once
// Gives domains back the memory they had before memcoord first moved them.

#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/balloon_mover.h"
#include "engine/core/history.h"
#include "engine/core/limits.h"
#include "engine/core/tick.h"

namespace memcoord {

/// The result of a restoration for one domain.
struct Restored {
  Uuid domain;
  std::string name;
  MemorySize had;         ///< before its first move
  MemorySize has;         ///< by the targets that were set
  std::string why;        ///< the reason if `has` differs from `had`
  bool in_doubt = false;  ///< a target was sent and not answered: it may still be carried out
  [[nodiscard]] bool whole() const { return has == had && !in_doubt; }
};

/// Restores the domains that were moved since they were started, as far as the guard allows; grows
/// need no fresh report. Works in rounds, because guests release and report memory over time. The
/// caller samples, waits and observes the history between rounds. Mover and history outlive it.
class Restoration {
 public:
  Restoration(BalloonMover& mover, const History& history, const Limits& limits)
      : mover_(mover), history_(history), limits_(limits) {}

  /// One round on a tick whose snapshot the history has observed: sends the moves that are possible
  /// now and adds their outcomes to the tick. The first round chooses the domains. `last`: grows
  /// take all that the host can give.
  void step(Tick& tick, bool last);
  /// Whether no further round can change anything.
  [[nodiscard]] bool is_over() const;
  /// Whether waiting may help: the round has set a target, a domain has memory to give, or memory
  /// is on its way to the host.
  [[nodiscard]] bool may_progress(const Tick& tick) const;

  struct Result {
    std::vector<Restored> domains;  ///< every domain that was ever moved
    /// The record for observers: the first round's snapshot, one decision for each domain that was
    /// or should have been moved, all outcomes.
    Tick tick;
  };
  /// Ends the restoration.
  [[nodiscard]] Result finish();

 private:
  /// One domain on its way back.
  struct Restoring {
    Restored result;
    bool over = false;     ///< no further round would change it
    Decision record = {};  ///< for observers: from its first size to the size it reached
  };
  using Open = std::unordered_map<Uuid, Restoring*>;

  void begin(const Snapshot& snapshot);
  void follow_late_outcomes(const Tick& tick);
  [[nodiscard]] Open open_ones();
  [[nodiscard]] std::vector<Decision> review(const Snapshot& snapshot, const Open& open);
  void follow_outcomes(const Tick& tick, const Open& open);
  [[nodiscard]] bool may_shrink_further(const Decision& decision) const;

  BalloonMover& mover_;
  const History& history_;
  Limits limits_;
  bool begun_ = false;
  std::vector<Restoring> all_;
  Tick record_;
};

}  // namespace memcoord
