#include "engine/core/text_table.h"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <utility>

namespace memcoord {
namespace {

constexpr std::size_t kGap = 2;

void append_cell(Styled& line, Styled cell, bool right, std::size_t width) {
  const std::string blanks(width - std::min(width, display_width(cell)), ' ');
  if (!line.empty()) line.push_back({std::string(kGap, ' '), Tint::none});
  if (right) line.push_back({blanks, Tint::none});
  line.insert(line.end(), cell.begin(), cell.end());
  if (!right) line.push_back({blanks, Tint::none});
}

void cut_trailing_blanks(Styled& line) {
  while (!line.empty()) {
    std::string& last = line.back().text;
    last.erase(last.find_last_not_of(' ') + 1);
    if (!last.empty()) return;
    line.pop_back();
  }
}

}  // namespace

ColumnLayout::ColumnLayout(std::span<const TableColumn> columns, std::vector<std::size_t> widths,
                           std::vector<bool> shown, std::size_t screen)
    : columns_(columns), widths_(std::move(widths)), shown_(std::move(shown)) {
  if (screen == 0) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      widths_[i] = std::max(widths_[i], columns_[i].good);
    }
    return;
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].least > 0) widths_[i] = columns_[i].least;
  }
  drop_until_it_fits(screen);
  widths_[0] = std::min(widths_[0], screen);
  hand_out(screen - std::min(screen, total()));
}

std::size_t ColumnLayout::total() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    if (shown_[i]) sum += widths_[i] + (sum > 0 ? kGap : 0);
  }
  return sum;
}

void ColumnLayout::drop_until_it_fits(std::size_t screen) {
  while (total() > screen) {
    std::size_t least = 0;
    for (std::size_t i = 1; i < columns_.size(); ++i) {
      if (shown_[i] && (least == 0 || columns_[i].keep < columns_[least].keep)) least = i;
    }
    if (least == 0) return;
    shown_[least] = false;
  }
}

void ColumnLayout::hand_out(std::size_t left) {
  std::vector<std::size_t> order(columns_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return columns_[a].keep > columns_[b].keep;
  });
  for (const std::size_t i : order) {
    if (!shown_[i] || columns_[i].good <= widths_[i]) continue;
    const std::size_t more = std::min(left, columns_[i].good - widths_[i]);
    widths_[i] += more;
    left -= more;
  }
  if (shown_.back()) widths_.back() += left;
}

Styled ColumnLayout::line(std::span<const Styled> cells, bool unicode) const {
  Styled line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (shown_[i])
      append_cell(line, fit(cells[i], widths_[i], unicode), columns_[i].right, widths_[i]);
  }
  cut_trailing_blanks(line);
  return line;
}

TextTable::TextTable(std::vector<Column> columns) {
  std::vector<std::string> titles;
  for (Column& column : columns) {
    columns_.push_back({"", column.align == Align::right, 0, 0, 0});
    titles.push_back(std::move(column.title));
  }
  add_row(std::move(titles));
}

void TextTable::add_row(std::vector<std::string> cells) {
  std::vector<Styled> row(columns_.size());
  for (std::size_t i = 0; i < row.size() && i < cells.size(); ++i) {
    row[i] = {{std::move(cells[i]), Tint::none}};
  }
  rows_.push_back(std::move(row));
}

void TextTable::print(TextOut out, bool colored) const {
  std::vector<std::size_t> widths(columns_.size());
  for (const std::vector<Styled>& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  const ColumnLayout layout(columns_, std::move(widths), std::vector<bool>(columns_.size(), true),
                            0);
  for (const std::vector<Styled>& row : rows_) {
    const bool heading = colored && &row == &rows_.front();
    const std::string line = render(layout.line(row, true), false);
    out << Painted{heading ? Tint::bold : Tint::none, line} << '\n';
  }
}

std::string TextTable::text(bool colored) const {
  std::ostringstream text;
  print(text, colored);
  return text.str();
}

}  // namespace memcoord
