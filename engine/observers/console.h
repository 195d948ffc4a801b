#pragma once
// Each tick as a table for people: the host, its domains, what was changed and why.

#include <deque>
#include <ostream>
#include <string>
#include <vector>

#include "engine/core/screen_text.h"
#include "engine/core/tick.h"
#include "engine/observers/domain_table.h"

namespace memcoord::observers {

/// Draws ticks onto a stream. Where it is interactive, each table replaces the last one.
class ConsoleTable final : public Observer {
 public:
  ConsoleTable(std::ostream& out, ConsoleStyle style) : out_(out), style_(style) {}

  void observe(const Tick& tick) override;
  /// A line for below the table (interactive), where log lines would tear it. It is shown, with the
  /// next tick's time, when that tick is drawn.
  void add_message(std::string line, Note::Severity severity = Note::Severity::info);
  /// The terminal has this size from now on.
  void resize(int width, int height);
  /// How many entries all that is kept from tick to tick holds.
  [[nodiscard]] std::size_t remembered() const { return domains_.remembered() + messages_.size(); }

 private:
  struct Message {
    std::string time;  ///< empty: not drawn yet
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
