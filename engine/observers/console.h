#pragma once
// Each tick as a table for people: the host, its domains, what was changed and why.

#include <cstddef>
#include <deque>
#include <ostream>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/tick.h"

namespace memcoord::observers {

/// What the screen can do. Injected, so that tests compare exact text.
struct ConsoleStyle {
  bool color = false;
  bool unicode = false;
  bool interactive = false;  ///< redraw in place, with the newest messages below the table
  int width = 100;           ///< columns
  int height = 0;            ///< lines; 0: as many as it takes
};

/// Draws ticks onto a stream. Where it is interactive, each table replaces the last one.
class ConsoleTable final : public Observer {
 public:
  ConsoleTable(std::ostream& out, ConsoleStyle style) : out_(out), style_(style) {}

  void observe(const Tick& tick) override;
  /// A line for below the table (interactive), where log lines would tear it.
  void add_message(std::string line);
  /// The terminal has another size from now on.
  void resize(int width, int height);

 private:
  std::vector<std::string> draw(const Tick& tick) const;
  void remember(const Tick& tick);

  std::ostream& out_;
  ConsoleStyle style_;
  std::unordered_map<Uuid, std::deque<double>> unused_;
  std::deque<std::string> messages_;
  std::size_t drawn_lines_ = 0;
};

/// Cuts text to a width in terminal columns, with "…" (or "~") where something is missing; control
/// characters become blanks.
std::string fit(std::string_view text, std::size_t width, bool unicode);
/// Columns that a UTF-8 text takes on a terminal.
std::size_t display_width(std::string_view text);

}  // namespace memcoord::observers
