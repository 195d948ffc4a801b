#pragma once
// The console's table of domains, one line for each, fitted to the screen.

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

/// Draws the domains of ticks. Remembers each domain's recent unused memory for its sparkline, and
/// the widths of the columns, which would otherwise jump from tick to tick.
class DomainTable {
 public:
  static constexpr std::size_t kColumns = 9;

  /// Call it with every tick, drawn or not.
  void remember(const Tick& tick);
  /// The table in at most `room` lines (0: no limit), its header first. If there are too few lines,
  /// it shows the domains with changes, and a last line counts the others.
  [[nodiscard]] std::vector<Styled> lines(const Tick& tick, std::size_t room,
                                          const ConsoleStyle& style);
  /// Lets columns become narrower again, for a screen of another width.
  void forget_widths() { widest_ = {}; }
  /// The number of domains whose past is kept.
  [[nodiscard]] std::size_t remembered() const { return past_.size(); }

 private:
  using Row = std::array<Styled, kColumns>;
  struct Observation {
    std::optional<MemorySize> unused;
    MemorySize actual;
  };
  struct Past {
    std::vector<Observation> observations;  ///< newest last
    std::uint64_t last_tick = 0;
    int id = 0;  ///< Domain::id
  };
  using Columns = std::array<TableColumn, kColumns>;
  [[nodiscard]] static Columns columns_for(Units units, const ConsoleStyle& style);
  /// `columns` outlives the layout.
  [[nodiscard]] ColumnLayout lay_out(const Columns& columns, std::span<const Row> rows,
                                     const ConsoleStyle& style);
  /// A sparkline of the domain's unused memory, scaled to its largest balloon of that time.
  [[nodiscard]] std::string trend_of(const Domain& domain, std::size_t width, bool unicode) const;

  std::unordered_map<Uuid, Past> past_;
  std::array<std::size_t, kColumns> widest_{};
};

}  // namespace memcoord::observers
