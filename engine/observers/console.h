#pragma once
// Shows each tick as a table: the host, its domains, their changes and the reasons.

#include <ostream>
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

/// The lines of a tick for a pipe or a shell: head and table, fitted to the style's width. They are
/// fewer than the style's height, if it has one. The table has remembered the tick.
std::vector<Styled> plain_lines(const Tick& tick, DomainTable& table, const ConsoleStyle& style,
                                const TableView& view = {});

/// Prints the plain lines of each tick onto a stream, which outlives it.
class ConsoleTable final : public Observer {
 public:
  ConsoleTable(std::ostream& out, ConsoleStyle style) : out_(out), style_(style) {}

  void observe(const Tick& tick) override;
  /// The number of entries kept from tick to tick.
  [[nodiscard]] std::size_t remembered() const { return domains_.remembered(); }

 private:
  std::ostream& out_;
  ConsoleStyle style_;
  DomainTable domains_;
};

}  // namespace memcoord::observers
