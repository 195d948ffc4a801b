#pragma once
// Tables of aligned columns.

#include <cstddef>
#include <string>
#include <vector>

#include "engine/core/text_out.h"

namespace memcoord::cli {

/// Rows of cells; the first row is the heading. Each column is as wide as its widest cell.
class TextTable {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit TextTable(std::vector<Column> columns);

  /// Adds a row with one cell a column; missing cells are empty.
  void add_row(std::vector<std::string> cells);
  /// Prints the table, with a bold heading if `colored`. Lines end without blanks.
  void print(TextOut out, bool colored) const;
  /// The text that print() writes.
  [[nodiscard]] std::string text(bool colored) const;

 private:
  std::vector<Align> aligns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace memcoord::cli
