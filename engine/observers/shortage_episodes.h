#pragma once
// Episodes in which a domain is short of memory. The log, the events and the status name the same
// ones.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/tick.h"

namespace memcoord::observers {

/// Whether the domain is short; no value if the tick does not tell. `before` is the domain one tick
/// earlier; null: not known.
std::optional<bool> shortage_in(const Domain& domain, const Domain* before, const Limits& limits);

/// How one domain's episode stands. The default is a domain outside an episode.
struct Episode {
  /// An episode ends after this many ticks in a row, and this long, without a shortage.
  static constexpr int kEnoughTicks = 5;
  static constexpr Duration kEnoughTime = std::chrono::seconds(10);

  std::optional<MonotonicTime> since;         ///< its first tick; none outside an episode
  std::optional<MonotonicTime> enough_since;  ///< the first of the newest ticks without a shortage
  int enough_ticks = 0;                       ///< how many these are
  bool operator==(const Episode&) const = default;
};
/// The episode after one more tick. `is_short` has no value if the tick does not tell; then the
/// episode stays as it is. After a clock that went back, times count from `now`.
Episode next_episode(Episode episode, std::optional<bool> is_short, MonotonicTime now);

/// Finds the episodes of ticks, which it gets in order.
class ShortageFinder {
 public:
  /// While its grow is under way, a domain that is short has this long before it is reported.
  static constexpr Duration kGrowPatience = std::chrono::seconds(10);

  /// A change of one domain. Refers to the tick.
  struct Change {
    const Domain* domain = nullptr;
    bool begins = false;  ///< otherwise the episode has ended
    std::string text;     ///< "short by 60 MiB: ..."; "enough memory again, after 3 min"
    Duration lasted{};    ///< of an episode that has ended
  };
  /// The changes of this tick, in the order of its domains. An episode is reported once the domain
  /// has a problem (problem_of()) and does not grow, or is still short after kGrowPatience; an
  /// episode that ends before is not. A domain that goes away or starts again ends its episode
  /// silently.
  std::vector<Change> changes_of(const Tick& tick);
  /// Since when the domain's reported episode lasts.
  [[nodiscard]] std::optional<MonotonicTime> short_since(const Uuid& domain) const;
  /// The number of domains whose state is kept.
  [[nodiscard]] std::size_t remembered() const { return states_.size(); }

 private:
  struct State {
    int id = 0;  ///< Domain::id
    std::optional<MemorySize> swap_in;
    Episode episode;
    bool reported = false;
    std::uint64_t turn = 0;
  };
  std::uint64_t turn_ = 0;  ///< counts ticks: the numbers in a journal of several runs begin anew
  std::unordered_map<Uuid, State> states_;
};

}  // namespace memcoord::observers
