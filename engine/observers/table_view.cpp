#include "engine/observers/table_view.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "engine/core/names.h"

namespace memcoord::observers {
namespace {

constexpr std::array<std::string_view, kSortColumnCount> kSortNames{
    "trouble", "name", "actual", "available", "unused", "usable", "change"};
constexpr std::array<std::string_view, 3> kOnlyNames{"all", "trouble", "moved"};

template <class Value, std::size_t count>
std::optional<Value> named(const std::array<std::string_view, count>& names,
                           std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Value>(found - names.begin());
}

/// Whether a guest's report is awaited that is not overdue: every guest's is, after a move.
bool awaits_report(const DomainTick& about) {
  const auto& reported = about.domain.guest.last_update;
  if (about.skipped->rule != Rule::fresh_stats || !reported) return false;
  const Limits& limits = about.tick.limits;
  const Duration period = std::max<Duration>(about.domain.guest.period, std::chrono::seconds(1));
  return about.tick.snapshot.wall_time - *reported <=
         period * limits.stale_after_periods + limits.stale_slack;
}

/// What a row is sorted by: the smallest first, none last.
struct Key {
  int rank = 0;
  std::optional<double> figure;
};

Key key_by_trouble(const DomainTick& about) {
  const Trouble trouble = trouble_of(about);
  if (trouble == Trouble::short_of_memory) {
    return {swaps_in(about.domain, about.before) ? 0 : 1,
            -missing(about).value_or(MemorySize()).mib()};
  }
  if (trouble == Trouble::unreachable) return {2, 0};
  return about.moves() ? Key{3, -moved_by(about).mib()} : Key{4, 0};
}

Key key_of(const DomainTick& about, SortColumn column) {
  const auto by = [](const std::optional<MemorySize>& size) {
    return Key{0, size ? std::optional(size->mib()) : std::nullopt};
  };
  switch (column) {
    case SortColumn::trouble:
      return key_by_trouble(about);
    case SortColumn::actual:
      return by(about.domain.actual);
    case SortColumn::available:
      return by(about.domain.guest.available);
    case SortColumn::unused:
      return by(about.domain.guest.unused);
    case SortColumn::usable:
      return by(about.domain.guest.usable);
    case SortColumn::change:
      return by(moved_by(about));
    case SortColumn::name:
      break;
  }
  return {};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool matches(const DomainTick& about, const TableView& view, const std::string& filter) {
  if (view.only == TableView::Only::trouble && trouble_of(about) == Trouble::none) return false;
  if (view.only == TableView::Only::moved && !about.moves()) return false;
  if (filter.empty()) return true;
  const std::string name = lower(about.domain.name());
  const bool is_pattern = filter.find_first_of("*?") != std::string::npos;
  return is_pattern ? glob_matches(filter, name) : name.find(filter) != std::string::npos;
}

}  // namespace

std::string_view to_text(SortColumn column) {
  return kSortNames.at(static_cast<std::size_t>(column));
}
std::optional<SortColumn> sort_column_from_text(std::string_view text) {
  return named<SortColumn>(kSortNames, text);
}
std::string_view to_text(TableView::Only only) {
  return kOnlyNames.at(static_cast<std::size_t>(only));
}
std::optional<TableView::Only> only_from_text(std::string_view text) {
  return named<TableView::Only>(kOnlyNames, text);
}

Trouble trouble_of(const DomainTick& about) {
  if (about.is_short) return Trouble::short_of_memory;
  if (about.domain.state == DomainState::hung || about.move_failed()) return Trouble::unreachable;
  const bool skipped = about.skipped && about.skipped->rule && !awaits_report(about);
  return skipped ? Trouble::unreachable : Trouble::none;
}

std::string trouble_text(const DomainTick& about) {
  if (trouble_of(about) == Trouble::none) return {};
  if (about.is_short) return shortage_of(about);
  if (about.domain.state == DomainState::hung) return "does not answer";
  if (about.move_failed()) return reason_of(about);
  if (about.domain.state == DomainState::paused) return {};
  const bool fell_silent = about.skipped->rule == Rule::fresh_stats && !about.reports &&
                           about.domain.guest.last_update.has_value();
  return fell_silent ? "reports nothing" : about.skipped->why;
}

MemorySize moved_by(const DomainTick& about) {
  return about.moves() ? about.decision->change() : MemorySize();
}

std::vector<const DomainTick*> chosen_rows(const std::vector<DomainTick>& all,
                                           const TableView& view) {
  struct Row {
    const DomainTick* about;
    Key key;
    std::size_t place;
  };
  const std::string filter = lower(view.filter);
  std::vector<Row> rows;
  for (const DomainTick& about : all) {
    if (matches(about, view, filter))
      rows.push_back({&about, key_of(about, view.sort), rows.size()});
  }
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    if (a.key.figure.has_value() != b.key.figure.has_value()) return a.key.figure.has_value();
    const auto left = std::tuple(a.key.rank, a.key.figure.value_or(0));
    const auto right = std::tuple(b.key.rank, b.key.figure.value_or(0));
    if (left != right) return view.descending ? right < left : left < right;
    const bool by_name_down = view.descending && view.sort == SortColumn::name;
    return by_name_down ? b.place < a.place : a.place < b.place;
  });
  std::vector<const DomainTick*> chosen;
  chosen.reserve(rows.size());
  for (const Row& row : rows) chosen.push_back(row.about);
  return chosen;
}

Page page_of(const std::vector<const DomainTick*>& rows, std::size_t room, const TableView& view) {
  if (room == 0) {
    const std::size_t first = std::min(view.first, rows.size());
    return {first, rows.size() - first, first > 0 || rows.empty()};
  }
  room = std::max(room, std::size_t{2}) - 1;  // the header's line
  if (rows.size() <= room) return {0, rows.size(), rows.empty()};
  const std::size_t count = std::max(room, std::size_t{2}) - 1;
  std::size_t first = std::min(view.first, rows.size() - count);
  for (std::size_t i = 0; view.selected && i < rows.size(); ++i) {
    if (rows[i]->domain.uuid() != *view.selected) continue;
    first = std::min(std::max(first, i + 1 - std::min(i + 1, count)), i);
  }
  return {first, count, room > 1};
}

Styled rest_line(const std::vector<const DomainTick*>& rows, const Page& page, std::size_t all) {
  if (rows.empty()) {
    return {{all == 0 ? "no active domains" : "no domain of " + std::to_string(all) + " to show",
             Tint::dim}};
  }
  std::size_t lacking = 0;
  std::size_t unreachable = 0;
  std::size_t moved = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i >= page.first && i < page.first + page.count) continue;
    const Trouble trouble = trouble_of(*rows[i]);
    lacking += trouble == Trouble::short_of_memory ? 1 : 0;
    unreachable += trouble == Trouble::unreachable ? 1 : 0;
    moved += trouble == Trouble::none && rows[i]->moves() ? 1 : 0;
  }
  const std::size_t below = rows.size() - page.first - page.count;
  Styled line{{page.first == 0
                   ? "and " + std::to_string(below) + " more"
                   : std::to_string(page.first) + " above and " + std::to_string(below) + " below",
               Tint::dim}};
  const auto add = [&](std::size_t count, const char* what, Tint tint) {
    if (count == 0) return;
    line.push_back({", ", Tint::dim});
    line.push_back({std::to_string(count) + what, tint});
  };
  add(lacking, " short of memory", Tint::red);
  if (lacking == 0) line.push_back({", none short of memory", Tint::dim});
  add(unreachable, " in other trouble", Tint::yellow);
  add(moved, rows.front()->tick.dry_run ? " would move" : " moved", Tint::dim);
  return line;
}

}  // namespace memcoord::observers
