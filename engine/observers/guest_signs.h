#pragma once
// Signs in a guest's counters and reports that something happened to it which no event reports: a
// reboot, and a process that its OOM killer ended.

#include <optional>

#include "engine/core/limits.h"
#include "engine/core/snapshot.h"

namespace memcoord::observers {

/// Follows the reports of one guest. The default has seen none.
class GuestSigns {
 public:
  /// What the newest report shows, compared with the report before it.
  struct Found {
    bool rebooted = false;
    /// The guest's OOM killer has probably ended a process: within kKillTime, a guest that had
    /// less than kNothingLeft of its floor available, and no longer swapped out, uses less by
    /// kLeastKilled and kLeastShare of what it used. A process that ends by itself at such a moment
    /// looks the same, and a process that grows and is killed between two reports shows no sign.
    struct Fall {
      MemorySize before;
      MemorySize after;
      bool operator==(const Fall&) const = default;
    };
    std::optional<Fall> fall;
  };
  static constexpr std::chrono::seconds kKillTime{30};
  static constexpr MemorySize kLeastKilled = MemorySize::from_mib(64);
  static constexpr double kLeastShare = 0.2;
  static constexpr double kNothingLeft = 0.25;

  /// Call it with each sample of a domain that has not been started anew.
  Found next(const Domain& domain, const Limits& limits);

 private:
  /// What processes and the kernel use, by one report alone: total less MemAvailable.
  std::optional<MemorySize> used_;
  std::optional<WallTime> report_;  ///< the time of the newest report
  std::optional<MonotonicTime> started_at_;
  std::optional<std::uint64_t> faults_;  ///< major and minor
  std::optional<MemorySize> swap_out_;
  bool nothing_left_ = false;
};

}  // namespace memcoord::observers
