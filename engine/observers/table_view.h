#pragma once
// Which domains a table shows, in which order, and how the others are summed up.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/screen_text.h"
#include "engine/core/uuid.h"
#include "engine/observers/shortage.h"

namespace memcoord::observers {

/// What the rows of a table can be sorted by.
enum class SortColumn { trouble, name, actual, available, unused, usable, change };
inline constexpr int kSortColumnCount = 7;
/// "trouble", "name", "actual", ...: as --sort takes it.
std::string_view to_text(SortColumn column);
std::optional<SortColumn> sort_column_from_text(std::string_view text);

/// Which domains of a tick a table shows, and in which order. A value of the person who looks.
struct TableView {
  enum class Only { all, trouble, moved };

  /// By trouble: short of memory, then skipped or without an answer, then the largest move, then by
  /// name. Figures that a guest does not report are last in either order.
  SortColumn sort = SortColumn::trouble;
  bool descending = false;
  Only only = Only::all;
  std::string filter;            ///< on the name: a part of it, or a pattern with "*" and "?"
  std::size_t first = 0;         ///< how many of the matching rows are above the screen
  std::optional<Uuid> selected;  ///< this row is always on the screen, if it matches
};
std::string_view to_text(TableView::Only only);
std::optional<TableView::Only> only_from_text(std::string_view text);

/// What is wrong with a domain, the worst first. A domain that the operator leaves out, or one that
/// waits for its guest's next report, has no trouble.
enum class Trouble { short_of_memory, unreachable, none };
Trouble trouble_of(const DomainTick& about);
/// The same in words: "short by 60 MiB: the host has nothing to grant", "does not answer", "reports
/// nothing". Empty without trouble, and for a domain that is only paused.
std::string trouble_text(const DomainTick& about);
/// The size of its move; zero without one.
MemorySize moved_by(const DomainTick& about);

/// The rows that the view wants, in its order. They refer to `all`, which is in name order.
std::vector<const DomainTick*> chosen_rows(const std::vector<DomainTick>& all,
                                           const TableView& view);

/// The part of the rows that is on the screen.
struct Page {
  std::size_t first = 0;
  std::size_t count = 0;
  bool summed_up = false;  ///< there is a line for the other rows
};

/// The page in `room` lines, header and rest included (0: no limit).
Page page_of(const std::vector<const DomainTick*>& rows, std::size_t room, const TableView& view);

/// Sums up the rows that are not on the page: "and 21 more, 3 short of memory". `all`: the number
/// of domains, matching or not.
Styled rest_line(const std::vector<const DomainTick*>& rows, const Page& page, std::size_t all);

}  // namespace memcoord::observers
