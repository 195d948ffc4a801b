#include "engine/screen/screen_state.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace memcoord::screen {
namespace {

using observers::SortColumn;
using observers::TableView;
using Page = ScreenState::Page;

constexpr std::size_t kLongestFilter = 100;  // bytes

/// The key that sorts by a column; pressed again, it reverses the order.
struct SortKey {
  std::string_view key;
  SortColumn column;
};
constexpr std::array kSortKeys{
    SortKey{"T", SortColumn::trouble}, SortKey{"N", SortColumn::name},
    SortKey{"A", SortColumn::actual},  SortKey{"V", SortColumn::available},
    SortKey{"U", SortColumn::unused},  SortKey{"S", SortColumn::usable},
    SortKey{"C", SortColumn::change},
};

constexpr std::array kHelp{
    "Keys",
    "",
    "Up, Down      select a domain; Esc ends the selection",
    "PgUp, PgDn    page;  Home, End: the first and the last page",
    "Enter         explain why the domain has the memory that it has",
    "p             pause the selected domain, or resume it",
    "P             pause every domain, or resume all that are paused",
    "/             show domains whose names match: a part, or a pattern with * and ?",
    "Esc           show all names again",
    "t, m, a       show domains in trouble, domains that move, all domains",
    "<, >          sort by the column before, by the column after",
    "T N A V U S C sort by trouble, name, actual, available, unused, usable, change",
    "r             reverse the order; so does the key of the same column",
    "Space         ask for the newest tick",
    "q             quit",
    "",
    "A domain is short of memory if it has less headroom than its floor, or if its",
    "guest reads memory back from its swap.",
};

std::optional<std::size_t> place_of_selected(const ScreenState& state, const Shown& shown) {
  if (!state.view.selected) return std::nullopt;
  const auto found = std::find(shown.matching.begin(), shown.matching.end(), *state.view.selected);
  if (found == shown.matching.end()) return std::nullopt;
  return static_cast<std::size_t>(found - shown.matching.begin());
}

/// Selects the domain `step` rows further; without a selection, the first row on the screen.
void move_selection(ScreenState& state, const Shown& shown, std::ptrdiff_t step) {
  if (shown.matching.empty()) return;
  const std::ptrdiff_t last = std::ssize(shown.matching) - 1;
  auto place = static_cast<std::ptrdiff_t>(shown.first);
  if (const auto selected = place_of_selected(state, shown)) {
    place = static_cast<std::ptrdiff_t>(*selected) + step;
  }
  state.view.selected =
      shown.matching.at(static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(place, 0, last)));
}

/// Moves a first line so that the last page is full.
std::size_t paged(std::size_t first, std::ptrdiff_t step, std::size_t rows, std::size_t all) {
  const auto last = static_cast<std::ptrdiff_t>(all - std::min(rows, all));
  return static_cast<std::size_t>(
      std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(first) + step, 0, last));
}

/// How far a key moves, in lines; nothing for other keys.
std::optional<std::ptrdiff_t> step_of(const Key& key, std::size_t page, std::size_t all) {
  switch (key.kind) {
    case Key::Kind::up:
      return -1;
    case Key::Kind::down:
      return 1;
    case Key::Kind::page_up:
      return -static_cast<std::ptrdiff_t>(page);
    case Key::Kind::page_down:
      return static_cast<std::ptrdiff_t>(page);
    case Key::Kind::home:
      return -static_cast<std::ptrdiff_t>(all);
    case Key::Kind::end:
      return static_cast<std::ptrdiff_t>(all);
    default:
      return std::nullopt;
  }
}

void move(ScreenState& state, const Key& key, const Shown& shown, std::ptrdiff_t step) {
  if (key.kind == Key::Kind::up || key.kind == Key::Kind::down) {
    move_selection(state, shown, step);
    return;
  }
  if (place_of_selected(state, shown)) move_selection(state, shown, step);
  state.view.first = paged(shown.first, step, shown.rows, shown.matching.size());
}

void sort_by(ScreenState& state, SortColumn column) {
  const bool again = state.view.sort == column;
  state.view.descending = again ? !state.view.descending : sorted_by(column).descending;
  state.view.sort = column;
  state.view.first = 0;
}

void sort_by_neighbour(ScreenState& state, int step) {
  const int column = (static_cast<int>(state.view.sort) + step + observers::kSortColumnCount) %
                     observers::kSortColumnCount;
  sort_by(state, static_cast<SortColumn>(column));
}

/// The same key again shows all domains.
void show_only(ScreenState& state, TableView::Only only) {
  state.view.only = state.view.only == only ? TableView::Only::all : only;
  state.view.first = 0;
}

void show_text(ScreenState& state, std::vector<std::string> lines) {
  state.page = Page::text;
  state.text = std::move(lines);
  state.text_first = 0;
}

/// A change acts from the tick after the one in progress on, and a screen may lag by one. Numbers
/// begin again with another run.
void forget_old_changes(ScreenState& state, const Shown& shown) {
  constexpr std::uint64_t kTicksToShow = 3;
  std::erase_if(state.changes, [&](const AskedChange& change) {
    return shown.tick < change.tick || shown.tick - change.tick >= kTicksToShow;
  });
}

/// The domains that are paused after the changes.
std::vector<Uuid> paused_after(const std::vector<AskedChange>& changes, const Shown& shown) {
  std::vector<Uuid> paused = shown.paused;
  for (const auto& [query, tick] : changes) {
    if (!query.domain) {
      paused.clear();
      if (query.kind == Query::Kind::pause) paused = shown.matching;
      continue;
    }
    std::erase(paused, *query.domain);
    if (query.kind == Query::Kind::pause) paused.push_back(*query.domain);
  }
  return paused;
}

Pressed change(ScreenState state, const Shown& shown, const Query& query) {
  state.changes.push_back({query, shown.tick});
  return {std::move(state), query};
}

Pressed pause_or_resume(ScreenState state, const Shown& shown, bool every) {
  forget_old_changes(state, shown);
  const std::vector<Uuid> all_paused = paused_after(state.changes, shown);
  if (every) {
    const auto kind = all_paused.empty() ? Query::Kind::pause : Query::Kind::resume;
    return change(std::move(state), shown, {kind, {}});
  }
  if (!place_of_selected(state, shown)) {
    state.notice = "select a domain with the arrow keys first";
    return {std::move(state), {}};
  }
  const Uuid domain = *state.view.selected;
  const bool paused = std::find(all_paused.begin(), all_paused.end(), domain) != all_paused.end();
  return change(std::move(state), shown,
                {paused ? Query::Kind::resume : Query::Kind::pause, domain});
}

Pressed explain(ScreenState state, const Shown& shown) {
  if (!place_of_selected(state, shown)) move_selection(state, shown, 0);
  if (!place_of_selected(state, shown)) return {std::move(state), {}};
  const Uuid domain = *state.view.selected;
  return {std::move(state), Query{Query::Kind::explain, domain}};
}

Pressed press_character(ScreenState state, const Key& key, const Shown& shown) {
  for (const SortKey& sort : kSortKeys) {
    if (key.is(sort.key)) sort_by(state, sort.column);
  }
  if (key.is("q")) state.ending = true;
  if (key.is("?") || key.is("h")) show_text(state, {kHelp.begin(), kHelp.end()});
  if (key.is("/")) state.page = Page::filter;
  if (key.is("t")) show_only(state, TableView::Only::trouble);
  if (key.is("m")) show_only(state, TableView::Only::moved);
  if (key.is("a")) show_only(state, TableView::Only::all);
  if (key.is("<")) sort_by_neighbour(state, -1);
  if (key.is(">")) sort_by_neighbour(state, 1);
  if (key.is("r")) sort_by(state, state.view.sort);
  if (key.is("p")) return pause_or_resume(std::move(state), shown, false);
  if (key.is("P")) return pause_or_resume(std::move(state), shown, true);
  if (key.is(" ")) return {std::move(state), Query{}};
  return {std::move(state), {}};
}

void end_selection_or_filter(ScreenState& state) {
  if (state.view.selected) {
    state.view.selected.reset();
  } else {
    state.view.filter.clear();
    state.view.first = 0;
  }
}

Pressed press_in_table(ScreenState state, const Key& key, const Shown& shown) {
  if (const auto step = step_of(key, std::max<std::size_t>(shown.rows, 1), shown.matching.size())) {
    move(state, key, shown, *step);
    return {std::move(state), {}};
  }
  if (key.kind == Key::Kind::enter) return explain(std::move(state), shown);
  if (key.kind == Key::Kind::escape) end_selection_or_filter(state);
  if (key.kind == Key::Kind::left) sort_by_neighbour(state, -1);
  if (key.kind == Key::Kind::right) sort_by_neighbour(state, 1);
  if (key.kind == Key::Kind::character) return press_character(std::move(state), key, shown);
  return {std::move(state), {}};
}

void press_in_filter(ScreenState& state, const Key& key) {
  std::string& filter = state.view.filter;
  state.view.first = 0;
  if (key.kind == Key::Kind::enter) state.page = Page::table;
  if (key.kind == Key::Kind::escape) {
    filter.clear();
    state.page = Page::table;
  }
  if (key.kind == Key::Kind::character && filter.size() + key.text.size() <= kLongestFilter) {
    filter += key.text;
  }
  if (key.kind != Key::Kind::backspace) return;
  if (filter.empty()) state.page = Page::table;
  // A UTF-8 character's later bytes are 10xxxxxx.
  while (!filter.empty() && (static_cast<unsigned char>(filter.back()) & 0xc0U) == 0x80U) {
    filter.pop_back();
  }
  if (!filter.empty()) filter.pop_back();
}

void press_in_text(ScreenState& state, const Key& key, const Shown& shown) {
  const auto step = step_of(key, std::max<std::size_t>(shown.text_rows, 1), shown.text_lines);
  if (step) {
    state.text_first = paged(state.text_first, *step, shown.text_rows, shown.text_lines);
  } else {
    state.page = Page::table;
  }
}

/// One query at a time: the keys of a person who does not see what they do are not kept.
Pressed asked_once(ScreenState before, Pressed pressed) {
  if (!pressed.query || pressed.query->kind == Query::Kind::refresh) return pressed;
  if (before.waiting) {
    before.notice = "waits for the run's answer";
    return {std::move(before), {}};
  }
  pressed.state.waiting = true;
  return pressed;
}

}  // namespace

TableView sorted_by(SortColumn column) {
  TableView view;
  view.sort = column;
  // The sizes of which people look for the largest; of headroom, they look for the smallest.
  view.descending = column == SortColumn::actual || column == SortColumn::available ||
                    column == SortColumn::change;
  return view;
}

Pressed press(ScreenState state, const Key& key, const Shown& shown) {
  state.notice.clear();
  switch (state.page) {
    case Page::filter:
      press_in_filter(state, key);
      return {std::move(state), {}};
    case Page::text:
      press_in_text(state, key, shown);
      return {std::move(state), {}};
    case Page::table:
      break;
  }
  Pressed pressed = press_in_table(state, key, shown);
  return asked_once(std::move(state), std::move(pressed));
}

ScreenState with_reply(ScreenState state, const Reply& reply) {
  state.waiting = false;
  // One query at a time: the reply is to the newest change.
  const bool is_change = reply.kind == Query::Kind::pause || reply.kind == Query::Kind::resume;
  if (reply.failed && is_change && !state.changes.empty()) state.changes.pop_back();
  if (reply.kind != Query::Kind::explain || reply.failed) {
    state.notice = reply.text;
    return state;
  }
  std::vector<std::string> lines;
  std::istringstream stream(reply.text);
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  show_text(state, std::move(lines));
  return state;
}

}  // namespace memcoord::screen
