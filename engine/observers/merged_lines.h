#pragma once
// Bounds the lines that a busy run logs in a minute: what gets no line of its own is summed up in a
// few lines at the end of the minute.

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/core/memory_size.h"
#include "engine/core/time.h"
#include "engine/core/uuid.h"

namespace memcoord::observers {

/// A move is small if it is under 64 MiB and under 5 % of the domain's size. The floor of 100 MiB
/// absorbs it, so it rarely matters by itself; adaptive policies make most of their moves so small.
bool is_small_move(MemorySize from, MemorySize to);

/// Counts the lines of a minute, and sums up moves and shortages that get none. Times are those of
/// ticks.
class MergedLines {
 public:
  static constexpr Duration kMinute = std::chrono::minutes(1);
  // With a few lines of summary these make at most 89 lines a minute.
  static constexpr std::size_t kMoves = 40;         ///< lines of moves
  static constexpr std::size_t kMovesOfDomain = 6;  ///< of one domain
  static constexpr std::size_t kBegins = 15;        ///< lines of shortages that begin
  static constexpr std::size_t kEnds = 15;          ///< lines of shortages that end
  static constexpr std::size_t kNotes = 15;         ///< lines of notes
  static constexpr std::size_t kMoreNotes = 100;    ///< further ones in the whole run

  struct Line {
    bool warning = false;
    std::string text;
  };
  /// Begins a tick. Returns the summary of a minute that has passed, before the tick's own lines.
  std::vector<Line> begin_tick(MonotonicTime now, bool dry_run, Units units);
  /// Ends the tick. Returns the minute's summary if the next tick, after the same time as from the
  /// last tick to this one, belongs to another minute.
  std::vector<Line> end_tick();
  /// The summary so far, at the end of the run.
  std::vector<Line> flush();

  // Whether the move or shortage gets a line of its own. If not, the summary counts it.
  bool gets_line_for_move(const Uuid& domain, const std::string& name, MemorySize from,
                          MemorySize to);
  bool gets_line_for_begin(const std::string& name);
  bool gets_line_for_end(const std::string& name);
  bool gets_line_for_note();

 private:
  struct Move {
    std::string name;
    MemorySize from;
    MemorySize to;
  };
  /// Names up to a number, and the count of all.
  struct Names {
    std::size_t count = 0;
    std::vector<std::string> first;
  };
  /// What a minute has collected.
  struct Minute {
    std::unordered_map<Uuid, std::size_t> lines;  ///< of moves, by domain
    std::size_t move_lines = 0;
    std::size_t begin_lines = 0;
    std::size_t end_lines = 0;
    std::size_t note_lines = 0;
    std::size_t notes = 0;  ///< without a line
    std::unordered_set<Uuid> moved;
    std::size_t moves = 0;
    std::size_t small_moves = 0;
    MemorySize grown;
    MemorySize shrunk;
    Move largest;
    Names begun;
    Names ended;
  };
  static void add_name(Names& names, const std::string& name);
  [[nodiscard]] std::string moves_text(const std::string& when) const;
  /// Starts the next minute. Returns the summary of one that lasted this long.
  std::vector<Line> close(Duration lasted);

  std::optional<MonotonicTime> start_;  ///< of the minute
  MonotonicTime last_{};                ///< the newest tick
  Duration step_{};                     ///< from the tick before it
  bool dry_run_ = false;
  Units units_ = Units::automatic;
  Minute minute_;
  std::size_t more_notes_ = kMoreNotes;
};

}  // namespace memcoord::observers
