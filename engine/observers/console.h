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

  [[nodiscard]] std::vector<Styled> head(const Tick& tick) const;
  [[nodiscard]] std::vector<Styled> draw(const Tick& tick);
  void draw_messages(std::vector<Styled>& frame) const;
  void draw_in_place(const std::vector<Styled>& frame);
  [[nodiscard]] std::size_t room_for_domains(std::size_t taken) const;

  std::ostream& out_;
  ConsoleStyle style_;
  DomainTable domains_;
  std::deque<Message> messages_;
  std::size_t drawn_lines_ = 0;
  bool clear_first_ = false;
};

}  // namespace memcoord::observers
