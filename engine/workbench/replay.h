#pragma once
// What a policy would have decided at ticks that were recorded, beside what was decided then.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/history.h"
#include "engine/core/policy.h"
#include "engine/core/tick.h"

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
  bool sampled = true;  ///< else there is nothing to decide on
  std::vector<ReplayedDomain> domains;
  std::optional<Error> policy_error;  ///< why there is no answer now
};

/// Takes recorded ticks in their order and lets a policy decide on each. What was done then stays
/// done: the policy sees the world as its predecessor left it. Holds one tick and the history.
class Replay {
 public:
  /// `limits`: the guard's, where not those that were recorded.
  explicit Replay(std::unique_ptr<Policy> policy, std::optional<Limits> limits = {})
      : policy_(std::move(policy)), limits_(limits) {}

  ReplayedTick take(const Tick& recorded);

 private:
  std::vector<Decision> decide(const Tick& recorded, std::optional<Error>& error);

  std::unique_ptr<Policy> policy_;
  std::optional<Limits> limits_;
  History history_;
  std::optional<MonotonicTime> last_at_;
};

}  // namespace memcoord::workbench
