#pragma once
// What a policy would have decided at ticks that were recorded, beside what was decided then.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/history.h"
#include "engine/core/policy.h"
#include "engine/core/tick.h"
#include "engine/workbench/simulation.h"

namespace memcoord::workbench {

/// One domain for which something was decided, then or now.
struct ReplayedDomain {
  Uuid uuid;
  std::string name;
  MemorySize actual;
  std::optional<Decision> then;
  std::optional<Decision> now;
  bool alike =
      false;  ///< both leave the same memory; what only the host lacked then counts as alike
};

struct ReplayedTick {
  std::uint64_t number = 0;
  WallTime wall_time{};
  std::uint64_t run = 0;  ///< of memcoord, counted from 1
  bool begins_run = false;
  bool sampled = true;     ///< else there is nothing to decide on
  bool restoring = false;  ///< the run's end: domains got back what they had, nothing was decided
  std::vector<ReplayedDomain> domains;
  std::optional<Error> policy_error;  ///< why there is no answer now
};

/// Takes recorded ticks in their order and lets a policy decide on each. What was done then stays
/// done: the policy sees the world as its predecessor left it. Holds one tick and the history.
/// A journal may hold several runs of memcoord, one after the other; each starts with a fresh
/// policy and without a past.
class Replay {
 public:
  /// `limits`: the guard's, where not those that were recorded.
  explicit Replay(PolicyMaker make_policy, std::optional<Limits> limits = {})
      : make_policy_(std::move(make_policy)), limits_(limits) {}

  /// Errors: what the maker returns, where a run begins.
  Result<ReplayedTick> take(const Tick& recorded);

 private:
  [[nodiscard]] bool begins_run(const Tick& recorded) const;
  std::vector<Decision> decide(const Tick& recorded, const Snapshot& snapshot,
                               std::optional<Error>& error);

  PolicyMaker make_policy_;
  std::unique_ptr<Policy> policy_;
  std::optional<Limits> limits_;
  History history_;
  std::uint64_t runs_ = 0;
  std::uint64_t last_number_ = 0;
  std::optional<MonotonicTime> last_at_;
};

}  // namespace memcoord::workbench
