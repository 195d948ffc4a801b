#pragma once
// Which columns of a table a screen has room for, how wide they are, and a row in them.

#include <cstddef>
#include <span>
#include <vector>

#include "engine/observers/screen_text.h"

namespace memcoord::observers {

/// One column, as far as its content allows to say.
struct Column {
  const char* title;
  bool right;         ///< figures stand to the right
  int keep;           ///< where room is short, the column with the smallest number goes first
  std::size_t least;  ///< width that it needs to be of use; 0: as wide as its content
  std::size_t good;   ///< width up to which it takes what is left over; 0: none
};

/// A table's columns on one screen.
class ColumnLayout {
 public:
  /// `widths`: what the content takes, a number a column; `shown`: whether it is wanted at all;
  /// `screen`: columns there are, 0: as many as it takes. The first column always stays. What is
  /// left over goes to the columns in order of `keep`, each up to what is good for it, and then all
  /// to the last column.
  ColumnLayout(std::span<const Column> columns, std::vector<std::size_t> widths,
               std::vector<bool> shown, std::size_t screen);

  [[nodiscard]] bool shows(std::size_t column) const { return shown_[column]; }
  [[nodiscard]] std::size_t width(std::size_t column) const { return widths_[column]; }
  /// The cells in their columns, cut where they are too long, without blanks at the end.
  [[nodiscard]] Styled line(std::span<const Styled> cells, bool unicode) const;

 private:
  [[nodiscard]] std::size_t total() const;
  void drop_until_it_fits(std::size_t screen);
  void hand_out(std::size_t left);

  std::span<const Column> columns_;
  std::vector<std::size_t> widths_;
  std::vector<bool> shown_;
};

}  // namespace memcoord::observers
