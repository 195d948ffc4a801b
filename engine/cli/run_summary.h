#pragma once
// What a run came to, for the line at its end.

#include <cstdint>
#include <string>
#include <unordered_set>

#include "engine/core/tick.h"

namespace memcoord::cli {

/// Counts over all ticks of a run.
class RunSummary : public Observer {
 public:
  void observe(const Tick& tick) override;

  /// "5 ticks, 3 moves (+150 MiB to 2 domains, -64 MiB from 1), no errors"
  [[nodiscard]] std::string text() const;
  /// Whether the host was seen and the policy answered at least once, or there was no tick to fail.
  [[nodiscard]] bool any_tick_worked() const { return worked_ > 0 || ticks_ == 0; }
  /// How many domains it knows by name, for each to count once.
  [[nodiscard]] std::size_t remembered() const {
    return served_.known.size() + shrunk_.known.size();
  }

 private:
  /// Different domains, counted in bounded memory: one that went long ago and comes back counts
  /// again.
  struct Counted {
    std::unordered_set<Uuid> known;
    std::uint64_t gone = 0;
    [[nodiscard]] std::uint64_t all() const { return gone + known.size(); }
    void forget_the_gone(const Snapshot& snapshot);
  };
  void count(const Outcome& outcome);

  std::uint64_t ticks_ = 0;
  std::uint64_t worked_ = 0;
  std::uint64_t moves_ = 0;
  std::uint64_t failed_moves_ = 0;
  std::int64_t unanswered_moves_ = 0;
  std::uint64_t sample_errors_ = 0;
  std::uint64_t policy_errors_ = 0;
  bool dry_run_ = false;
  Units units_ = Units::automatic;
  MemorySize given_;
  MemorySize taken_;
  Counted served_;
  Counted shrunk_;
};

}  // namespace memcoord::cli
