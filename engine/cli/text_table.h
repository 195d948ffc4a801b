#pragma once
// Plain aligned columns for what subcommands list.

#include <cstddef>
#include <string>
#include <vector>

#include "engine/core/text_out.h"

namespace memcoord::cli {

/// Rows of cells, each column as wide as its widest cell; the first row is the heading.
class TextTable {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit TextTable(std::vector<Column> columns);

  /// One cell a column.
  void add_row(std::vector<std::string> cells);
  /// With a heading in bold where `colored`; no blanks at the ends of lines.
  void print(TextOut out, bool colored) const;
  /// What print() writes.
  [[nodiscard]] std::string text(bool colored) const;

 private:
  std::vector<Align> aligns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace memcoord::cli
