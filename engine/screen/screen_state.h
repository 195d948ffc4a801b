#pragma once
// What a screen shows and what its keys do: a pure function from a state and a key to the next
// state.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/uuid.h"
#include "engine/observers/domain_table.h"
#include "engine/screen/terminal.h"
#include "engine/screen/tick_source.h"

namespace memcoord::screen {

/// A view sorted by a column, in the direction in which people look at it.
observers::TableView sorted_by(observers::SortColumn column);

/// A change that was asked for on a tick that does not show it.
struct AskedChange {
  Query query;
  std::uint64_t tick = 0;
};

struct ScreenState {
  enum class Page {
    table,
    filter,  ///< the table, while the filter is typed
    text,    ///< an explanation or the help
  };
  Page page = Page::table;
  observers::TableView view;
  std::vector<std::string> text;     ///< of Page::text
  std::size_t text_first = 0;        ///< its first line on the screen
  std::string notice;                ///< in the last line, until the next key
  bool waiting = false;              ///< a query has no reply yet; refresh has none
  std::vector<AskedChange> changes;  ///< those that the ticks may not show yet
  bool ending = false;               ///< q was pressed
};

/// What the last frame showed: keys move relative to it.
struct Shown {
  std::vector<Uuid> matching;  ///< every domain that matches the view, in order
  std::size_t first = 0;       ///< the place of the first row in `matching`
  std::size_t rows = 0;        ///< rows on the screen
  std::vector<Uuid> paused;    ///< domains that operators have paused
  std::uint64_t tick = 0;      ///< its number
  std::size_t text_lines = 0;  ///< of Page::text, after wrapping
  std::size_t text_rows = 0;   ///< those on the screen
};

struct Pressed {
  ScreenState state;
  std::optional<Query> query = {};
};

Pressed press(ScreenState state, const Key& key, const Shown& shown);

/// Puts the reply to a query on the screen.
ScreenState with_reply(ScreenState state, const Reply& reply);

}  // namespace memcoord::screen
