#pragma once
// What happened to each domain over many ticks, in a few figures.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/tick.h"
#include "engine/observers/event_selection.h"
#include "engine/observers/events.h"
#include "engine/observers/shortage_episodes.h"

namespace memcoord::observers {

/// One domain. Sizes are the balloon's. In a dry run, moves are those that would have been made.
struct DomainStory {
  std::string name;  ///< the newest
  MemorySize maximum;
  Duration observed{};          ///< recorded time in which it ran
  Duration short_of_memory{};   ///< of that, the time in which it was short (is_short())
  std::uint64_t shortages = 0;  ///< events that a shortage began
  Duration longest_shortage{};  ///< the most time in which it was short within one of them
  WallTime longest_since{};     ///< when that began; the clock's beginning if there was none
  std::uint64_t moves = 0;
  std::uint64_t planned_moves = 0;  ///< of these, the ones of a dry run
  MemorySize moved;                 ///< the sum of all moves, in either direction
  MemorySize smallest;
  MemorySize largest;
  std::uint64_t limits = 0;  ///< moves that a rule limited or refused
  std::uint64_t kills = 0;   ///< killed, likely_killed, crashed

  /// The share of the observed time in which it was short.
  [[nodiscard]] double short_share() const;
};

/// Follows the stories of all domains. Ticks come in order, each with its events and with the time
/// since the tick before (zero after a gap).
class StoryTeller {
 public:
  void take(const Tick& tick, const std::vector<Event>& events, Duration passed);
  /// In the order in which the domains appeared. Shortages that still last count.
  [[nodiscard]] std::vector<DomainStory> finish();
  /// The number of domains so far.
  [[nodiscard]] std::size_t size() const { return stories_.size(); }
  /// The place of a domain's story; none before it has appeared.
  [[nodiscard]] std::optional<std::size_t> place_of(const Uuid& domain) const;

 private:
  struct State {
    std::size_t place = 0;
    int id = 0;  ///< Domain::id
    std::optional<MemorySize> swap_in;
    WallTime short_since{};  ///< of its reported shortage; the clock's beginning outside one
    Episode episode;         ///< reported or not
    Duration in_episode{};   ///< the time in which it was short within the newest episode
  };
  State& state_of(const Domain& domain);
  void take_domain(const Domain& domain, const Tick& tick, Duration passed);
  void take_event(const Event& event);
  void end_shortage(State& state);

  std::vector<DomainStory> stories_;
  std::unordered_map<Uuid, State> states_;
  std::unordered_map<std::string, Uuid> by_name_;
};

/// "short for 12 min, in 3 shortages, the longest 8 min; moved 41 times; 512 MiB to
/// 4 GiB".
std::string story_text(const DomainStory& story, Units units);

}  // namespace memcoord::observers
