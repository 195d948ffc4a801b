#include "engine/cli/text_table.h"

#include <algorithm>
#include <sstream>

#include "engine/observers/screen_text.h"

namespace memcoord::cli {
namespace {

std::string row_text(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                     const std::vector<TextTable::Align>& aligns) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string blanks(widths[i] - observers::display_width(cells[i]), ' ');
    if (i > 0) line += "  ";
    line += aligns[i] == TextTable::Align::right ? blanks + cells[i] : cells[i] + blanks;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

TextTable::TextTable(std::vector<Column> columns) {
  std::vector<std::string> titles;
  for (Column& column : columns) {
    aligns_.push_back(column.align);
    titles.push_back(std::move(column.title));
  }
  rows_.push_back(std::move(titles));
}

void TextTable::add_row(std::vector<std::string> cells) {
  cells.resize(aligns_.size());
  rows_.push_back(std::move(cells));
}

void TextTable::print(TextOut out, bool colored) const {
  std::vector<std::size_t> widths(aligns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], observers::display_width(row[i]));
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const std::string line = row_text(rows_[i], widths, aligns_);
    out << Painted{i == 0 && colored ? "1" : "", line} << '\n';
  }
}

std::string TextTable::text(bool colored) const {
  std::ostringstream text;
  print(text, colored);
  return text.str();
}

}  // namespace memcoord::cli
