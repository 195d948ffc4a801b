#pragma once
// What the operator has been told, so that a note is not repeated while it stays true.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/core/uuid.h"

namespace memcoord {

/// Remembers notes by their text. Bounded: what was not true of late is forgotten, and beyond
/// kRemembered notes all that was not true in the turn before.
class SaidNotes {
 public:
  /// A note that has not been true for so many turns may be said again.
  static constexpr std::uint64_t kForgetAfter = 100;
  static constexpr std::size_t kRemembered = 10'000;

  /// To be called once a tick that has seen the host, before any is_news(). `gone(uuid)` tells of a
  /// domain whether what was said of it is over: it has gone, or has begun anew.
  template <class Gone>
  void begin_turn(Gone gone) {
    ++turn_;
    std::erase_if(said_, [&](const auto& entry) {
      const Said& said = entry.second;
      return said.turn + kForgetAfter < turn_ || (said.about && gone(*said.about));
    });
    if (said_.size() <= kRemembered) return;
    std::erase_if(said_, [&](const auto& entry) { return entry.second.turn + 1 < turn_; });
  }

  /// Takes note that the text is true in this turn; whether that is worth saying.
  bool is_news(const std::string& text, const std::optional<Uuid>& about = std::nullopt) {
    return said_.insert_or_assign(text, Said{turn_, about}).second;
  }

  [[nodiscard]] std::size_t size() const { return said_.size(); }

 private:
  struct Said {
    std::uint64_t turn = 0;  ///< the last in which it was true
    std::optional<Uuid> about;
  };
  std::unordered_map<std::string, Said> said_;
  std::uint64_t turn_ = 0;
};

}  // namespace memcoord
