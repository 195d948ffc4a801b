#pragma once
// The events of a long run that matter, in bounded memory.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/memory_size.h"
#include "engine/observers/events.h"

namespace memcoord::observers {

/// Events that compete for the same places, the most important group first.
enum class EventGroup {
  killed,    ///< killed, likely_killed, crashed, error
  shortage,  ///< short_of_memory, enough_memory: the longest shortages stay
  change,    ///< hung, started, restarted, stopped, not_moved, skipped, eligible, note
  limit,     ///< limited: those that took most from a move stay
  move,      ///< moved, would_move: the largest stay
};
inline constexpr std::size_t kEventGroupCount = 5;
EventGroup group_of(Event::Kind kind);

/// Keeps the most important events of each group, whatever the others bring.
class EventSelection {
 public:
  /// The largest number of events of each group.
  static constexpr std::array<std::size_t, kEventGroupCount> kUsualMost{1500, 2000, 1000, 750, 750};
  using LeftOut = std::array<std::uint64_t, kEventGroupCount>;

  explicit EventSelection(std::array<std::size_t, kEventGroupCount> most = kUsualMost)
      : most_(most) {}
  void add(Event event);

  struct Result {
    std::vector<Event> events;  ///< in the order in which they were added
    LeftOut left_out{};         ///< how many of each group
  };
  /// Call it once, after the last event.
  [[nodiscard]] Result finish();

 private:
  struct Entry {
    Event event;
    std::uint64_t number = 0;  ///< counts all events
    double weight = 0;         ///< events with less go first; of equal ones the latest
  };
  void weigh_shortages(std::vector<Entry>& shortages) const;
  void cut(std::size_t group);

  std::array<std::size_t, kEventGroupCount> most_;
  std::array<std::vector<Entry>, kEventGroupCount> kept_;
  LeftOut left_out_{};
  std::uint64_t added_ = 0;
};

/// "31,200 smaller moves and 12 shorter shortages are left out"; empty if none are.
std::string left_out_text(const EventSelection::LeftOut& left_out);

}  // namespace memcoord::observers
