#pragma once
// Shows each tick as a table: the host, its domains, their changes and the reasons.

#include <deque>
#include <ostream>
#include <string>
#include <vector>

#include "engine/core/screen_text.h"
#include "engine/core/tick.h"
#include "engine/observers/domain_table.h"

namespace memcoord::observers {

/// The lines above the table: the run, the host, what is wrong with either. `short_domains` is
/// shown with the number of domains. In less `room` than they need (0: no limit) the host's lines
/// go first, then those of errors; the first line stays.
std::vector<Styled> head_lines(const Tick& tick, std::size_t short_domains,
                               const ConsoleStyle& style, std::size_t room = 0);

/// The parts of a screen, in lines.
struct ScreenLines {
  std::size_t head = 0;
  std::size_t table = 0;     ///< with header and rest
  std::size_t messages = 0;  ///< with the blank line above them
  std::size_t legend = 0;    ///< of keys, or a prompt
  bool operator==(const ScreenLines&) const = default;
};
/// Divides a screen of `height` lines among its parts, each of which gets at most what it wants. A
/// small screen has domains before anything else: the first rows come before the first line of the
/// head, then the legend, the head, the `troubled` rows, a few messages, and all other rows.
ScreenLines share_screen(std::size_t height, const ScreenLines& wanted, std::size_t troubled);

/// Draws ticks onto a stream, which outlives it. An interactive table replaces the last one.
class ConsoleTable final : public Observer {
 public:
  ConsoleTable(std::ostream& out, ConsoleStyle style) : out_(out), style_(style) {}

  void observe(const Tick& tick) override;
  /// Adds a line below an interactive table, which log lines would tear apart. The next tick shows
  /// it, with its own time.
  void add_message(std::string line, Note::Severity severity = Note::Severity::info);
  /// Adapts the next table to a new size of the terminal.
  void resize(int width, int height);
  /// The number of entries kept from tick to tick.
  [[nodiscard]] std::size_t remembered() const { return domains_.remembered() + messages_.size(); }

 private:
  struct Message {
    std::string time;  ///< of the tick that showed it first; empty: not shown yet
    std::string text;
    Note::Severity severity = Note::Severity::info;
  };

  [[nodiscard]] std::vector<Styled> draw(const Tick& tick);
  void draw_messages(std::vector<Styled>& frame, std::size_t room) const;
  void draw_in_place(const std::vector<Styled>& frame);

  std::ostream& out_;
  ConsoleStyle style_;
  DomainTable domains_;
  std::deque<Message> messages_;
  std::size_t drawn_lines_ = 0;
  bool clear_first_ = false;
};

}  // namespace memcoord::observers
