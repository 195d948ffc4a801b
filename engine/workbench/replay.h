#pragma once
// Replays recorded ticks: another policy's decisions, beside the recorded ones.

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

/// One domain that has a decision in the recorded tick, in the replayed one, or in both.
struct ReplayedDomain {
  Uuid uuid;
  std::string name;
  MemorySize actual;
  std::optional<Decision> then;
  std::optional<Decision> now;
  /// Both decisions lead to the same size, or differ only because the host released less memory
  /// then than its shrinks were to release.
  bool alike = false;
};

struct ReplayedTick {
  std::uint64_t number = 0;
  WallTime wall_time{};
  std::uint64_t run = 0;  ///< of memcoord, counted from 1
  bool begins_run = false;
  bool sampled = true;     ///< false: the tick has no sample, so there is nothing to decide
  bool restoring = false;  ///< the end of a run, which gives memory back without a policy
  std::vector<ReplayedDomain> domains;
  std::optional<Error> policy_error;  ///< why the policy has no decisions now
};

/// Takes recorded ticks in order and evaluates each of them with a policy. The recorded moves stay
/// as they were: the policy gets the samples that resulted from them. Keeps the history, but no
/// ticks. A journal may hold several runs of memcoord; each starts with a fresh policy and an empty
/// history.
class Replay {
 public:
  /// `limits`, if given, replace the recorded limits.
  explicit Replay(PolicyMaker make_policy, std::optional<Limits> limits = {})
      : make_policy_(std::move(make_policy)), limits_(limits) {}

  /// Errors: those of the maker, at the start of a run.
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
