#pragma once
// The console's table: a line a domain, fitted to the screen.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/screen_text.h"
#include "engine/core/text_table.h"
#include "engine/core/tick.h"

namespace memcoord::observers {

/// What the screen can do.
struct ConsoleStyle {
  bool color = false;
  bool unicode = false;
  bool interactive = false;  ///< redraw in place, with the newest messages below the table
  bool local_time = false;   ///< times in the process's time zone; otherwise UTC, marked as such
  int width = 0;             ///< columns; 0: as wide as the content
  int height = 0;            ///< lines; 0: as many as the content takes
};

/// Draws the domains of ticks. Remembers each domain's recent unused memory, for its sparkline, and
/// the widths of its columns, so that they do not jump from tick to tick.
class DomainTable {
 public:
  static constexpr std::size_t kColumns = 9;

  /// To be called with each tick, drawn or not.
  void remember(const Tick& tick);
  /// The table, its header first, in at most `room` lines (0: as many as it takes). Where they are
  /// too few, those domains stay to which something happens, and a last line counts the others.
  [[nodiscard]] std::vector<Styled> lines(const Tick& tick, std::size_t room,
                                          const ConsoleStyle& style);
  /// Columns may become narrower again: the screen has another width.
  void forget_widths() { widest_ = {}; }
  /// Domains whose past is kept.
  [[nodiscard]] std::size_t remembered() const { return past_.size(); }

 private:
  using Row = std::array<Styled, kColumns>;
  struct Look {
    std::optional<MemorySize> unused;
    MemorySize actual;
  };
  struct Past {
    std::vector<Look> looks;  ///< newest last
    std::uint64_t last_tick = 0;
    int id = 0;  ///< of the domain's start
  };
  using Columns = std::array<TableColumn, kColumns>;
  [[nodiscard]] static Columns columns_for(Units units, const ConsoleStyle& style);
  /// `columns` outlives the layout.
  [[nodiscard]] ColumnLayout lay_out(const Columns& columns, std::span<const Row> rows,
                                     const ConsoleStyle& style);
  /// Its unused memory over time, as parts of the largest balloon of that time.
  [[nodiscard]] std::string trend_of(const Domain& domain, std::size_t width, bool unicode) const;

  std::unordered_map<Uuid, Past> past_;
  std::array<std::size_t, kColumns> widest_{};
};

}  // namespace memcoord::observers
