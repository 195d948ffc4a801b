#pragma once
// Moves balloons: shrinks before grows, and grows in steps while the host's memory is released.

#include <span>
#include <vector>

#include "engine/core/history.h"
#include "engine/core/hypervisor.h"
#include "engine/core/limits.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"

namespace memcoord {

/// How moves are carried out.
struct MoverOptions {
  Limits limits;
  bool dry_run = false;  ///< send no move; every outcome is Outcome::Kind::dry_run
  /// How long grows may wait within a tick for memory that its shrinks release.
  Duration release_wait = std::chrono::seconds(1);
};

/// A grow that gets its memory in steps.
struct PendingGrow {
  Decision* decision;  ///< not owned; its target falls to what the domain got in the end
  MemorySize reached;  ///< the target set by the steps so far
};

/// Sends targets to the hypervisor and records their outcomes in the history. Hypervisor, clock and
/// history outlive it.
class BalloonMover {
 public:
  /// How long the mover waits between two samples of a host whose guests release memory.
  static constexpr Duration kReleasePoll = std::chrono::milliseconds(100);

  BalloonMover(Hypervisor& hypervisor, Clock& clock, History& history, MoverOptions options)
      : hypervisor_(hypervisor), clock_(clock), history_(history), options_(options) {}

  /// From the next move on.
  void set_dry_run(bool on) { options_.dry_run = on; }
  /// Carries out the tick's decisions: the shrinks, then the grows. Where the tick has both, grows
  /// wait for released memory; when the wait ends, each target falls to what the host could give.
  /// Adds the outcomes to the tick.
  void apply(Tick& tick);
  /// Sends the shrinks among the tick's decisions.
  void shrink(Tick& tick);
  /// Sends the steps that the host can serve as `now` shows it, and removes from `pending` each
  /// grow that is served in full or has failed. `last`: sends all that the host can give, and ends
  /// all grows.
  void grow(Tick& tick, std::vector<PendingGrow>& pending, const Snapshot& now, bool last);
  /// Records what the hypervisor has learnt of earlier moves whose outcome was unknown. Call it
  /// after each sample, before History::observe().
  void record_late_outcomes(Tick& tick);

 private:
  void grow_as_released(Tick& tick);
  [[nodiscard]] std::vector<Move> next_steps(std::vector<PendingGrow>& pending, const Snapshot& now,
                                             bool last) const;
  void send(Tick& tick, const std::vector<Move>& moves);

  Hypervisor& hypervisor_;
  Clock& clock_;
  History& history_;
  MoverOptions options_;
};

}  // namespace memcoord
