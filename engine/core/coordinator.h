#pragma once
// The loop's body: sample, decide, review, apply, observe.

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/core/guard.h"
#include "engine/core/history.h"
#include "engine/core/hypervisor.h"
#include "engine/core/policy.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"

namespace memcoord {

/// How the coordinator is to work.
struct CoordinatorOptions {
  Limits limits;
  bool dry_run = false;
  std::vector<std::string> include;  ///< globs over domain names; empty: all
  std::vector<std::string> exclude;  ///< globs over domain names; exclusion wins
  /// How long grows may wait within a tick for what its shrinks free.
  Duration release_wait = std::chrono::seconds(1);
  History::Bounds history;
};

/// Runs ticks. Owns the history; the hypervisor, the clock and the observers outlive it.
class Coordinator {
 public:
  Coordinator(Hypervisor& hypervisor, Clock& clock, std::unique_ptr<Policy> policy,
              CoordinatorOptions options);

  void add_observer(Observer& observer) { observers_.push_back(&observer); }
  /// One tick, whatever goes wrong: errors are in the Tick.
  Tick tick();
  /// A new policy from the next tick on; history stays.
  void replace_policy(std::unique_ptr<Policy> policy);
  [[nodiscard]] Policy& policy() { return *policy_; }
  /// Every domain that was moved gets back the memory it had when it was first moved, as far as
  /// the guard's floors for the host allow. Returns what came of it.
  std::vector<Outcome> restore();

 private:
  void decide(Tick& tick);
  void apply(Tick& tick);

  Hypervisor& hypervisor_;
  Clock& clock_;
  std::unique_ptr<Policy> policy_;
  CoordinatorOptions options_;
  History history_;
  std::vector<Observer*> observers_;
  std::uint64_t number_ = 0;
  MonotonicTime last_tick_at_{};
  std::unordered_map<Uuid, MemorySize> before_first_move_;
  std::unordered_set<std::string> said_;
};

}  // namespace memcoord
