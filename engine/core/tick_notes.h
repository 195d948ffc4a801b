#pragma once
// The notes of a tick: hints, warnings and skipped domains, each said once while it stays true.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/core/domain_filter.h"
#include "engine/core/evaluation.h"
#include "engine/core/history.h"
#include "engine/core/policy.h"
#include "engine/core/tick.h"
#include "engine/core/uuid.h"

namespace memcoord {

/// Remembers which notes were said, by their text. Memory is bounded: a note that was not true for
/// kForgetAfter turns is forgotten; with more than kRemembered notes, all that were not true in the
/// turn before are.
class SaidNotes {
 public:
  /// A note that was not true for more turns than this may be said again.
  static constexpr std::uint64_t kForgetAfter = 100;
  static constexpr std::size_t kRemembered = 10'000;

  /// Call it once a turn, before any is_news(). `gone(uuid)` returns whether notes about a domain
  /// are obsolete: it has gone, or was started again.
  /// An early turn counts as a part of the one before.
  template <class Gone>
  void begin_turn(Gone gone, bool early = false) {
    turn_ += early ? 0 : 1;
    std::erase_if(said_, [&](const auto& entry) {
      const Said& said = entry.second;
      return said.turn + kForgetAfter < turn_ || (said.about && gone(*said.about));
    });
    if (said_.size() <= kRemembered) return;
    std::erase_if(said_, [&](const auto& entry) { return entry.second.turn + 1 < turn_; });
  }

  /// Records that the text is true in this turn. Returns whether it is worth saying.
  bool is_news(const std::string& text, const std::optional<Uuid>& about = std::nullopt) {
    return said_.insert_or_assign(text, Said{turn_, about}).second;
  }

  [[nodiscard]] std::size_t size() const { return said_.size(); }

 private:
  struct Said {
    std::uint64_t turn = 0;  ///< the last turn in which the note was true
    std::optional<Uuid> about;
  };
  std::unordered_map<std::string, Said> said_;
  std::uint64_t turn_ = 0;
};

/// Adds notes to ticks, as far as they are news.
class TickNotes {
 public:
  /// Begins a tick whose snapshot `history` has observed, at the time of that snapshot. Call it
  /// before the other functions: notes about domains that have gone or were started again become
  /// news again. Early ticks of the same second count as one.
  void begin_tick(const History& history, MonotonicTime now);
  /// A note of the caller's own, about a domain or about none.
  void add(Tick& tick, Note note, const std::optional<Uuid>& about = std::nullopt);
  /// The figures in Tick::dropped; once for each domain since its start.
  void add_dropped_figures(Tick& tick);
  /// A domain that is skipped for a reason that does not pass by itself.
  void add_skipped(Tick& tick, const DomainView& skipped);
  /// Patterns of --include and --exclude that match no active domain, if there are any.
  void add_unmatched(Tick& tick, const std::vector<DomainFilter::Unmatched>& unmatched);
  /// The evaluation's hints on the host and on domains that are short of memory.
  void add_hints(Tick& tick, const Evaluation& evaluation);
  /// The number of entries kept from tick to tick.
  [[nodiscard]] std::size_t remembered() const { return said_.size() + noted_dropped_.size(); }

 private:
  SaidNotes said_;
  std::unordered_set<Uuid> noted_dropped_;
  std::optional<MonotonicTime> counted_at_;  ///< the last tick that counts
  bool counts_ = true;                       ///< this tick does
  /// Ticks in a row in which the host lacked more memory than its domains can give.
  int beyond_rescue_ = 0;
};

}  // namespace memcoord
