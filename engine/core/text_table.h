#pragma once
// Tables of text: columns aligned, and fitted to a screen.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/core/screen_text.h"

namespace memcoord {

/// One column of a table that is fitted to a screen.
struct TableColumn {
  const char* title;
  bool right;  ///< aligned to the right, as figures are
  int keep;    ///< if the screen is too narrow, the column with the smallest number goes first
  std::size_t least;  ///< the width that makes it useful; 0: as wide as its content
  std::size_t good;   ///< the width up to which it takes spare room; 0: none
};

/// Which columns a screen has room for, and how wide they are.
class ColumnLayout {
 public:
  /// `widths`: the widths of the content; `shown`: whether a column is wanted at all; both one
  /// value for each column. `screen`: its columns; 0: as many as the table takes. The first column
  /// always stays. Spare room goes to the columns in order of `keep`, up to the good width of each;
  /// the last column takes the rest. `columns` outlive the layout.
  ColumnLayout(std::span<const TableColumn> columns, std::vector<std::size_t> widths,
               std::vector<bool> shown, std::size_t screen);

  [[nodiscard]] bool shows(std::size_t column) const { return shown_[column]; }
  [[nodiscard]] std::size_t width(std::size_t column) const { return widths_[column]; }
  /// One row: the cells in their columns, cut to the widths, without blanks at the end.
  [[nodiscard]] Styled line(std::span<const Styled> cells, bool unicode) const;

 private:
  [[nodiscard]] std::size_t total() const;
  void drop_until_it_fits(std::size_t screen);
  void hand_out(std::size_t left);

  std::span<const TableColumn> columns_;
  std::vector<std::size_t> widths_;
  std::vector<bool> shown_;
};

/// A table as wide as its content, with a heading.
class TextTable {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit TextTable(std::vector<Column> columns);

  /// One cell for each column; missing cells are empty.
  void add_row(std::vector<std::string> cells);
  /// `colored` prints the heading in bold.
  void print(TextOut out, bool colored) const;
  /// What print() writes.
  [[nodiscard]] std::string text(bool colored) const;

 private:
  std::vector<TableColumn> columns_;
  std::vector<std::vector<Styled>> rows_;  ///< the heading first
};

}  // namespace memcoord
