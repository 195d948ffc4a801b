#include "engine/screen/screen_state.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::screen;
using memcoord::observers::SortColumn;
using memcoord::observers::TableView;
using memcoord::test::id;
using Kind = Key::Kind;
using Page = ScreenState::Page;

namespace {

/// Ten domains, "a" to "j", of which the screen shows the first four.
Shown ten_domains() {
  Shown shown;
  for (char name = 'a'; name <= 'j'; ++name) shown.matching.push_back(id(std::string(1, name)));
  shown.rows = 4;
  return shown;
}

Key typed(const std::string& character) {
  return {Kind::character, character};
}

/// The state after the keys. The screen follows each of them.
ScreenState after(const std::vector<Key>& keys, ScreenState state = {}) {
  Shown shown = ten_domains();
  for (const Key& key : keys) {
    state = press(std::move(state), key, shown).state;
    shown.first = state.view.first;
  }
  return state;
}

std::vector<Key> typed_all(const std::string& text) {
  std::vector<Key> keys;
  for (const char c : text) keys.push_back(typed(std::string(1, c)));
  return keys;
}

}  // namespace

TEST_CASE("the first arrow selects the first row on the screen, the next ones its neighbours") {
  CHECK(after({{Kind::down}}).view.selected == id("a"));
  CHECK(after({{Kind::down}, {Kind::down}, {Kind::down}}).view.selected == id("c"));
  CHECK(after({{Kind::down}, {Kind::down}, {Kind::up}}).view.selected == id("a"));
  CHECK(after({{Kind::down}, {Kind::up}}).view.selected == id("a"));
  CHECK(after({{Kind::page_down}, {Kind::down}}).view.selected == id("e"));
}

TEST_CASE("pages move the rows and the selection, and the last page is full") {
  CHECK(after({{Kind::page_down}}).view.first == 4);
  CHECK(after({{Kind::page_down}, {Kind::page_down}}).view.first == 6);
  CHECK(after({{Kind::end}}).view.first == 6);
  CHECK(after({{Kind::end}, {Kind::home}}).view.first == 0);
  CHECK(after({{Kind::page_down}, {Kind::page_up}}).view.first == 0);
  CHECK_FALSE(after({{Kind::page_down}}).view.selected);
  CHECK(after({{Kind::down}, {Kind::page_down}}).view.selected == id("e"));
  CHECK(after({{Kind::down}, {Kind::end}}).view.selected == id("j"));
}

TEST_CASE("keys on an empty table select nothing") {
  for (const Key& key :
       std::vector<Key>{{Kind::down}, {Kind::end}, {Kind::page_up}, {Kind::enter}}) {
    const Pressed pressed = press({}, key, {});
    CHECK_FALSE(pressed.state.view.selected);
    CHECK_FALSE(pressed.query);
  }
}

TEST_CASE("a letter sorts by its column, and once more in the other direction") {
  const ScreenState sorted = after({typed("U")});
  CHECK(sorted.view.sort == SortColumn::unused);
  CHECK_FALSE(sorted.view.descending);
  CHECK(after({typed("U"), typed("U")}).view.descending);
  CHECK(after({typed("U"), typed("r")}).view.descending);
  CHECK(after({typed("A")}).view.descending);
  CHECK(after({typed("A"), typed("N")}).view.sort == SortColumn::name);
}

TEST_CASE("the keys < and > go through all columns") {
  ScreenState state;
  for (int i = 1; i <= observers::kSortColumnCount; ++i) {
    state = after({typed(">")}, std::move(state));
    CHECK(static_cast<int>(state.view.sort) == i % observers::kSortColumnCount);
  }
  CHECK(after({typed("<")}).view.sort == SortColumn::change);
}

TEST_CASE("t and m choose domains, and a or the same key shows all") {
  CHECK(after({typed("t")}).view.only == TableView::Only::trouble);
  CHECK(after({typed("m")}).view.only == TableView::Only::moved);
  CHECK(after({typed("m"), typed("a")}).view.only == TableView::Only::all);
  CHECK(after({typed("t"), typed("t")}).view.only == TableView::Only::all);
}

TEST_CASE("a filter takes every character until Enter, and Esc clears it") {
  const std::vector<Key> web = typed_all("/qt?");
  const ScreenState filtering = after(web);
  CHECK(filtering.page == Page::filter);
  CHECK(filtering.view.filter == "qt?");
  CHECK_FALSE(filtering.ending);
  CHECK(after({{Kind::enter}}, filtering).page == Page::table);
  CHECK(after({{Kind::enter}}, filtering).view.filter == "qt?");
  CHECK(after({{Kind::escape}}, filtering).view.filter.empty());
  CHECK(after({{Kind::escape}}, filtering).page == Page::table);
  CHECK(after({{Kind::enter}, {Kind::escape}}, filtering).view.filter.empty());
}

TEST_CASE("backspace removes a whole character from the filter, and then ends it") {
  const ScreenState state = after({typed("/"), typed("a"), typed("ü")});
  CHECK(after({{Kind::backspace}}, state).view.filter == "a");
  CHECK(after({{Kind::backspace}, {Kind::backspace}}, state).page == Page::filter);
  CHECK(after({{Kind::backspace}, {Kind::backspace}, {Kind::backspace}}, state).page ==
        Page::table);
}

TEST_CASE("the filter is bounded") {
  CHECK(after(typed_all("/" + std::string(500, 'x'))).view.filter.size() <= 100);
}

TEST_CASE("Esc ends the selection before it clears the filter") {
  ScreenState state;
  state.view.filter = "web";
  state.view.selected = id("a");
  state = after({{Kind::escape}}, state);
  CHECK_FALSE(state.view.selected);
  CHECK(state.view.filter == "web");
}

TEST_CASE("Enter asks for an explanation of the selected domain, or of the first row") {
  const Query of_a{Query::Kind::explain, id("a")};
  CHECK(press({}, {Kind::enter}, ten_domains()).query == of_a);
  ScreenState state;
  state.view.selected = id("c");
  CHECK(press(state, {Kind::enter}, ten_domains()).query == Query{Query::Kind::explain, id("c")});
  state.view.selected = id("gone");
  CHECK(press(state, {Kind::enter}, ten_domains()).query == of_a);
}

TEST_CASE("p pauses the selected domain, or resumes it if it is paused") {
  ScreenState state;
  state.view.selected = id("b");
  Shown shown = ten_domains();
  CHECK(press(state, typed("p"), shown).query == Query{Query::Kind::pause, id("b")});
  shown.paused = {id("b")};
  CHECK(press(state, typed("p"), shown).query == Query{Query::Kind::resume, id("b")});
  const Pressed without = press({}, typed("p"), shown);
  CHECK_FALSE(without.query);
  CHECK(without.state.notice == "select a domain with the arrow keys first");
}

TEST_CASE("P pauses every domain, or resumes them if any is paused") {
  Shown shown = ten_domains();
  CHECK(press({}, typed("P"), shown).query == Query{Query::Kind::pause, {}});
  shown.paused = {id("b")};
  CHECK(press({}, typed("P"), shown).query == Query{Query::Kind::resume, {}});
}

TEST_CASE("while a query waits for its reply, the keys of others are not kept") {
  const Pressed first = press({}, typed("P"), ten_domains());
  REQUIRE(first.query);
  for (const Key& key : {typed("P"), Key{Kind::enter}}) {
    const Pressed next = press(first.state, key, ten_domains());
    CHECK_FALSE(next.query);
    CHECK(next.state.notice == "waits for the run's answer");
  }
  CHECK(press(first.state, typed(" "), ten_domains()).query == Query{});
  CHECK(after({typed("q")}, first.state).ending);
  for (const bool failed : {false, true}) {
    const ScreenState answered = with_reply(first.state, {Query::Kind::pause, "done", failed});
    CHECK(press(answered, typed("P"), ten_domains()).query);
  }
}

TEST_CASE("p and P know what was asked for before a tick shows it") {
  Shown shown = ten_domains();
  shown.tick = 7;
  ScreenState state;
  state.view.selected = id("b");
  const auto paused_b = press(state, typed("p"), shown).state;
  const ScreenState done = with_reply(paused_b, {Query::Kind::pause, "b is paused", false});
  CHECK(press(done, typed("P"), shown).query == Query{Query::Kind::resume, {}});
  CHECK(press(done, typed("p"), shown).query == Query{Query::Kind::resume, id("b")});
  const ScreenState refused = with_reply(paused_b, {Query::Kind::pause, "no such domain", true});
  CHECK(press(refused, typed("P"), shown).query == Query{Query::Kind::pause, {}});

  const auto resumed = with_reply(press(done, typed("P"), shown).state,
                                  {Query::Kind::resume, "every domain is balanced again", false});
  CHECK(press(resumed, typed("P"), shown).query == Query{Query::Kind::pause, {}});
}

TEST_CASE("later ticks, and those of another run, are believed") {
  Shown shown = ten_domains();
  shown.tick = 7;
  const ScreenState done = with_reply(press({}, typed("P"), shown).state,
                                      {Query::Kind::pause, "every domain is paused", false});
  for (const std::uint64_t tick : {10U, 1U}) {
    shown.tick = tick;
    CHECK(press(done, typed("P"), shown).query == Query{Query::Kind::pause, {}});
  }
}

TEST_CASE("space asks for the newest tick, and q ends the screen") {
  CHECK(press({}, typed(" "), ten_domains()).query == Query{});
  CHECK(after({typed("q")}).ending);
}

TEST_CASE("a text scrolls with the arrows, and any other key returns to the table") {
  ScreenState state = after({typed("?")});
  CHECK(state.page == Page::text);
  Shown shown;
  shown.text_lines = 30;
  shown.text_rows = 10;
  CHECK(press(state, {Kind::down}, shown).state.text_first == 1);
  CHECK(press(state, {Kind::end}, shown).state.text_first == 20);
  CHECK(press(state, typed("q"), shown).state.page == Page::table);
  CHECK_FALSE(press(state, typed("q"), shown).state.ending);
}

TEST_CASE(
    "an explanation gets the screen, other replies and errors the last line until the next key") {
  const ScreenState explained = with_reply({}, {Query::Kind::explain, "web\nis fine\n", false});
  CHECK(explained.page == Page::text);
  CHECK(explained.text == std::vector<std::string>{"web", "is fine"});
  const ScreenState paused = with_reply({}, {Query::Kind::pause, "web is paused", false});
  CHECK(paused.notice == "web is paused");
  CHECK(after({{Kind::down}}, paused).notice.empty());
  const ScreenState failed = with_reply({}, {Query::Kind::explain, "no active domain", true});
  CHECK(failed.page == Page::table);
  CHECK(failed.notice == "no active domain");
}
