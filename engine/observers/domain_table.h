#pragma once
// The table of domains as people need it: a line for each domain, those in trouble first, fitted to
// the screen. Terminals and pipes show the same lines.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/screen_text.h"
#include "engine/core/text_table.h"
#include "engine/core/tick.h"
#include "engine/observers/table_view.h"

namespace memcoord::observers {

/// What the screen can do.
struct ConsoleStyle {
  bool color = false;
  bool unicode = false;
  bool interactive = false;  ///< a screen: pictures, and columns whose widths do not jump
  bool local_time = false;   ///< times in the process's time zone; otherwise UTC, marked as such
  int width = 0;             ///< columns; 0: as wide as the content
  int height = 0;            ///< lines; 0: as many as the content takes
};

/// A table, and what a screen needs to move around in it.
struct TableLines {
  struct Row {
    Uuid domain;
    Styled line;
  };
  Styled header;          ///< the titles; the column that sorts is bold
  std::vector<Row> rows;  ///< the rows on the screen
  Styled rest;  ///< "and 21 more, 3 short of memory"; empty if all matching rows are there
  std::vector<Uuid> matching;  ///< every domain that matches, in order, on the screen or not
  std::size_t first = 0;       ///< the place of the first row in `matching`

  /// Header, rows and rest, from top to bottom.
  [[nodiscard]] std::vector<Styled> all() const;
};

/// Draws the domains of ticks. Remembers each domain's tick before, which shows whether its guest
/// swaps, its recent unused memory for its sparkline, and the widths of the columns, which would
/// otherwise jump from tick to tick.
class DomainTable {
 public:
  static constexpr std::size_t kColumns = 9;

  /// Call it with every tick, drawn or not, before lines(). The same tick again changes nothing.
  void remember(const Tick& tick);
  /// The table in at most `room` lines, header and rest included (0: no limit). Less than two lines
  /// count as two. The tick is the one that was remembered last.
  [[nodiscard]] TableLines lines(const Tick& tick, std::size_t room, const ConsoleStyle& style,
                                 const TableView& view = {});
  /// The number of domains that match the view.
  [[nodiscard]] std::size_t matching(const Tick& tick, const TableView& view) const;
  /// The number of domains that are short of memory in the tick that was remembered last.
  [[nodiscard]] std::size_t short_domains() const { return short_; }
  /// Why an administrator should look at the domain; as problem_of(). Empty if there is no reason.
  [[nodiscard]] std::string problem(const Tick& tick, const Domain& domain) const;
  /// The domain in the tick before the last one; null if it was not there.
  [[nodiscard]] const Domain* earlier(const Domain& domain) const;
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
    /// Early ticks of the same second are one observation, with the least unused memory.
    void add(const Domain& domain, MonotonicTime at);
    std::vector<Observation> observations;  ///< newest last
    MonotonicTime since{};                  ///< the first tick of the newest observation
    std::optional<Domain> before;           ///< one tick earlier
    std::optional<Domain> newest;
    std::uint64_t last_tick = 0;
  };
  using Columns = std::array<TableColumn, kColumns>;
  [[nodiscard]] std::vector<DomainTick> about(const Tick& tick) const;
  [[nodiscard]] static Columns columns_for(const Tick& tick, const ConsoleStyle& style,
                                           std::size_t name_width);
  [[nodiscard]] static std::size_t size_width(Units units, const ConsoleStyle& style);
  [[nodiscard]] std::size_t name_width(const Tick& tick, std::size_t longest);
  [[nodiscard]] std::vector<std::size_t> widths_for(const Tick& tick, const Columns& columns,
                                                    std::span<const Row> rows,
                                                    const ConsoleStyle& style);
  [[nodiscard]] static Styled header_line(const Columns& columns, const ColumnLayout& layout,
                                          const TableView& view, const ConsoleStyle& style);
  /// A sparkline of the domain's unused memory, scaled to its largest balloon of that time.
  [[nodiscard]] std::string trend_of(const Domain& domain, std::size_t width, bool unicode) const;

  std::unordered_map<Uuid, Past> past_;
  std::array<std::size_t, kColumns> widest_{};
  std::size_t short_ = 0;
  std::optional<std::pair<std::uint64_t, MonotonicTime>>
      last_;  ///< the number and time of the tick that was remembered last
};

}  // namespace memcoord::observers
