#pragma once
// Which guests are to report before a tick decides (Hypervisor::refresh()). A tick ends with
// wishes; the next one asks as many of these guests as its budget allows.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/history.h"
#include "engine/core/limits.h"
#include "engine/core/snapshot.h"

namespace memcoord {

/// Why a guest is to report, the most urgent first.
enum class RefreshReason {
  moved,    ///< its balloon was moved, and no report shows the result yet
  at_risk,  ///< it may grow, and its headroom is under the floor, or falls so fast that it soon
            ///< will be
  asked,    ///< the policy asks for it
  overdue,  ///< its statistics period is longer than the interval
};

/// A guest that is to report.
struct RefreshWish {
  Uuid domain;
  RefreshReason reason{};
  MonotonicTime due_at{};  ///< not before this moment
  bool operator==(const RefreshWish&) const = default;
};

/// What the wishes of a tick follow from.
struct RefreshInput {
  const Snapshot& snapshot;  ///< which `history` has observed last
  const History& history;    ///< with the tick's moves
  const Limits& limits;
  std::span<const Uuid> asked;  ///< by the policy: PolicyAnswer::refresh
  Duration interval{};          ///< between calm ticks
};

/// The guests that are to report before the next tick, by urgency, then in snapshot order. Only
/// running domains are asked whose guests have reported before, and none that memcoord never moves.
/// A calm guest is asked only where its period is longer than the interval.
std::vector<RefreshWish> refresh_wishes(const RefreshInput& input);

/// Which wishes a tick fulfils, and how long that may take.
struct RefreshRound {
  std::vector<Uuid> domains;
  Duration patience{};
};

/// Limits the time that reports on demand cost to a tenth of the time between ticks, by what a
/// domain has cost so far. Where that is not enough for a single domain, time is saved up for one.
class RefreshBudget {
 public:
  /// How long a guest takes from the request to its report (measured: 2 to 3 ms).
  static constexpr Duration kReportsAfter = std::chrono::milliseconds(3);
  /// What asking one of several domains costs until it has been measured: 5 ms, by four connections
  /// at once. On a virtual clock calls take no time, and this stays.
  static constexpr Duration kUsualCost = std::chrono::microseconds(1250);

  /// The wishes for a tick that begins now, `since_last` after the one before. Where time is too
  /// short for all, the most urgent come first, and those of equal urgency take turns.
  RefreshRound choose(std::span<const RefreshWish> wishes, MonotonicTime now, Duration since_last);
  /// Records how long the last round took.
  void record(const RefreshRound& round, Duration took);
  [[nodiscard]] Duration cost() const { return cost_; }

 private:
  Duration cost_ = kUsualCost;  ///< of one domain, beside kReportsAfter
  Duration saved_{};
  Uuid last_;  ///< the last domain of the last round that left some out
};

}  // namespace memcoord
