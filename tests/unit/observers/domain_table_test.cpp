#include "engine/observers/domain_table.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::observers;
using namespace memcoord::test;

namespace {

std::string plain(const std::vector<Styled>& lines) {
  std::string text;
  for (const Styled& line : lines) text += render(line, false) + "\n";
  return text;
}

ConsoleStyle wide(int width) {
  ConsoleStyle style;
  style.width = width;
  return style;
}

/// The table of the second tick of a crowd.
struct Crowd {
  explicit Crowd(std::size_t content, std::size_t swapping = 3)
      : tick(crowded_tick(2, content, swapping)) {
    table.remember(crowded_tick(1, content, swapping));
    table.remember(tick);
  }
  TableLines lines(std::size_t room, int width, const TableView& view = {}) {
    return table.lines(tick, room, wide(width), view);
  }
  std::string text(std::size_t room, int width, const TableView& view = {}) {
    return plain(lines(room, width, view).all());
  }
  DomainTable table;
  Tick tick;
};

/// A tick with a domain of each kind, named by the place where trouble puts it.
Tick mixed_tick() {
  Tick tick;
  tick.number = 3;
  tick.policy = "adaptive";
  tick.snapshot = World()
                      .host(8_GiB, free(3_GiB))
                      .domain("1-short", unused(20_MiB))
                      .domain("2-less-short", unused(90_MiB))
                      .domain("3-hung", state(DomainState::hung))
                      .domain("4-silent", no_report())
                      .domain("5-failed")
                      .domain("6-grows-most", actual(1_GiB))
                      .domain("7-shrinks", actual(1_GiB))
                      .domain("8-limited")
                      .domain("9-waits-for-report", unused(700_MiB))
                      .domain("a-excluded", excluded());
  tick.skipped = {{id("3-hung"), Rule::running_only, "does not answer"},
                  {id("4-silent"), Rule::fresh_stats, "its guest reports no statistics"},
                  {id("9-waits-for-report"), Rule::fresh_stats, "no report since its last move"},
                  {id("a-excluded"), std::nullopt, "excluded by its settings"}};
  tick.decisions = {
      {id("5-failed"), 1_GiB, 2_GiB, 2_GiB, "runs short", {}},
      {id("6-grows-most"), 1_GiB, 2_GiB, 1536_MiB, "fed", {{Rule::share_out, 2_GiB, 1536_MiB, ""}}},
      {id("7-shrinks"), 1_GiB, 900_MiB, 900_MiB, "others need it", {}},
      {id("8-limited"), 1_GiB, 900_MiB, 1_GiB, "gives", {{Rule::grace, 900_MiB, 1_GiB, "young"}}}};
  tick.outcomes = {{id("5-failed"), 1_GiB, 2_GiB, Outcome::Kind::failed,
                    Error{ErrorCode::timed_out, "5-failed", "no answer", {}, {}}}};
  return tick;
}

/// The first characters of the names in the rows.
std::string order(const TableLines& lines) {
  std::string text;
  for (const TableLines::Row& row : lines.rows) text += render(row.line, false).front();
  return text;
}
std::string order(const Tick& tick, const TableView& view) {
  return order(DomainTable().lines(tick, 0, wide(80), view));
}

/// The tint of the piece of a line that holds a text.
Tint tint_of_text(const Styled& line, const std::string& text) {
  for (const Piece& piece : line) {
    if (piece.text.find(text) != std::string::npos) return piece.tint;
  }
  FAIL("no such text: " << text);
  return Tint::none;
}

/// The row of a domain.
Styled row_of_domain(const TableLines& lines, const std::string& name) {
  for (const TableLines::Row& row : lines.rows) {
    if (row.domain == id(name)) return row.line;
  }
  FAIL("no such row: " << name);
  return {};
}

}  // namespace

TEST_CASE("the rows in trouble come first, and the others are summed up with theirs") {
  Crowd crowd(30);
  CHECK(crowd.text(8, 80) ==
        "DOMAIN       ACTUAL    USABLE  WHY\n"
        "db            1 GiB    40 MiB  short by 60 MiB: the host has nothing to grant\n"
        "shop          1 GiB    55 MiB  short by 45 MiB: the host has nothing to grant\n"
        "web           1 GiB    70 MiB  short by 30 MiB: the host has nothing to grant\n"
        "guest-001     2 GiB   100 MiB\n"
        "guest-002     2 GiB   100 MiB\n"
        "guest-003     2 GiB   100 MiB\n"
        "and 27 more, none short of memory\n");
  CHECK(crowd.text(4, 80) ==
        "DOMAIN       ACTUAL    USABLE  WHY\n"
        "db            1 GiB    40 MiB  short by 60 MiB: the host has nothing to grant\n"
        "shop          1 GiB    55 MiB  short by 45 MiB: the host has nothing to grant\n"
        "and 31 more, 1 short of memory\n");
  CHECK(crowd.text(2, 80) ==
        "DOMAIN       ACTUAL    USABLE  WHY\n"
        "db            1 GiB    40 MiB  short by 60 MiB: the host has nothing to grant\n");
}

TEST_CASE("a wider screen has more columns, a narrower one fewer, and the reason stays") {
  CHECK(Crowd(2).text(0, 105) ==
        "DOMAIN       ACTUAL    UNUSED    USABLE     CHANGE  WHY\n"
        "db            1 GiB    20 MiB    40 MiB             short by 60 MiB, swaps: the host has "
        "nothing to grant\n"
        "shop          1 GiB    20 MiB    55 MiB             short by 45 MiB, swaps: the host has "
        "nothing to grant\n"
        "web           1 GiB    20 MiB    70 MiB             short by 30 MiB, swaps: the host has "
        "nothing to grant\n"
        "guest-001     2 GiB    80 MiB   100 MiB\n"
        "guest-002     2 GiB    80 MiB   100 MiB\n");
  Crowd crowd(1, 1);
  ConsoleStyle style = wide(160);
  style.interactive = true;
  CHECK(
      plain(crowd.table.lines(crowd.tick, 0, style).all()) ==
      "DOMAIN     MEMORY              ACTUAL  AVAILABLE    UNUSED  TREND                USABLE     "
      "CHANGE  WHY\n"
      "db         ####-...........     1 GiB    983 MiB    20 MiB  __                   40 MiB     "
      "        short by 60 MiB, swaps: the host has nothing to grant\n"
      "guest-001  ########-.......     2 GiB   1.91 GiB    80 MiB  __                  100 MiB\n");
  CHECK(Crowd(1, 1).text(0, 60) ==
        "DOMAIN     ACTUAL  USABLE  WHY\n"
        "db             1G     40M  swaps: the host has nothing to g~\n"
        "guest-001      2G    100M\n");
  CHECK(Crowd(1, 1).text(0, 40) ==
        "DOMAIN     WHY\n"
        "db         swaps: the host has nothing ~\n"
        "guest-001\n");
  CHECK(Crowd(1, 1).text(0, 24) ==
        "DOMAIN     WHY\n"
        "db         swaps: the h~\n"
        "guest-001\n");
}

TEST_CASE("trouble comes first, then the largest move, then the rest by name") {
  const Tick tick = mixed_tick();
  CHECK(plain(DomainTable().lines(tick, 0, wide(80)).all()) ==
        "DOMAIN                ACTUAL    UNUSED  WHY\n"
        "1-short                1 GiB    20 MiB  short: the host has nothing to grant\n"
        "2-less-short           1 GiB    90 MiB  short: the host has nothing to grant\n"
        "3-hung                 1 GiB   200 MiB  does not answer\n"
        "4-silent               1 GiB         -  its guest reports no statistics\n"
        "5-failed               1 GiB   200 MiB  +1 GiB, no answer\n"
        "6-grows-most           1 GiB   200 MiB  +512 MiB, fed [share_out]\n"
        "7-shrinks              1 GiB   200 MiB  -124 MiB, others need it\n"
        "8-limited              1 GiB   200 MiB  [grace] young\n"
        "9-waits-for-report     1 GiB   700 MiB  no report since its last move\n"
        "a-excluded             1 GiB   200 MiB  excluded by its settings\n");
  CHECK(plain({DomainTable().lines(tick, 3, wide(80)).rest}) ==
        "and 9 more, 1 short of memory, 3 in other trouble, 2 moved\n");
}

TEST_CASE("a guest whose reports have stopped is in trouble, one that awaits a report is not") {
  Tick tick = mixed_tick();
  TableView view;
  view.only = TableView::Only::trouble;
  CHECK(order(tick, view) == "12345");
  for (Domain& domain : tick.snapshot.domains) {
    if (domain.name().front() == '9') {
      domain.guest.last_update = tick.snapshot.wall_time - std::chrono::seconds(30);
    }
  }
  CHECK(order(tick, view) == "123459");
}

TEST_CASE("a view sorts by any column, with unknown figures last in either order") {
  const Tick tick = mixed_tick();
  TableView view;
  view.sort = SortColumn::unused;
  CHECK(order(tick, view) == "1235678a94");
  view.descending = true;
  CHECK(order(tick, view) == "935678a214");
  view.sort = SortColumn::name;
  CHECK(order(tick, view) == "a987654321");
  view.sort = SortColumn::change;
  CHECK(order(tick, view) == "567123489a");
  view = {};
  view.descending = true;
  CHECK(order(tick, view) == "89a7634521");
}

TEST_CASE("a view filters by a part of the name, or by a pattern") {
  const Tick tick = mixed_tick();
  TableView view;
  view.filter = "SHORT";
  CHECK(order(tick, view) == "12");
  view.filter = "*s";
  CHECK(order(tick, view) == "7");
  view.filter = "?-s*";
  CHECK(order(tick, view) == "147");
  view.only = TableView::Only::moved;
  CHECK(order(tick, view) == "7");
  view.filter = "web";
  const TableLines none = DomainTable().lines(tick, 0, wide(80), view);
  CHECK(none.matching.empty());
  CHECK(plain({none.rest}) == "none of 10 domains matches\n");
}

TEST_CASE("a view pages through the rows, and counts those above and below") {
  Crowd crowd(30);
  TableView view;
  view.first = 2;
  CHECK(crowd.text(4, 80, view) ==
        "DOMAIN       ACTUAL    USABLE  WHY\n"
        "web           1 GiB    70 MiB  short by 30 MiB: the host has nothing to grant\n"
        "guest-001     2 GiB   100 MiB\n"
        "2 above and 29 below, 2 short of memory\n");
  view.first = 1000;
  const TableLines last = crowd.lines(7, 80, view);
  CHECK(last.first == 28);
  REQUIRE(last.rows.size() == 5);
  CHECK(last.rows.back().domain == id("guest-030"));
  CHECK(plain({last.rest}) == "28 above and 0 below, 3 short of memory\n");
  CHECK(last.matching.size() == 33);
  CHECK(last.matching[28] == last.rows.front().domain);
}

TEST_CASE("the selected row is always on the screen") {
  Crowd crowd(30);
  TableView view;
  view.selected = id("guest-010");
  TableLines lines = crowd.lines(7, 80, view);
  CHECK(lines.rows.back().domain == id("guest-010"));
  view.selected = id("db");
  view.first = 20;
  lines = crowd.lines(7, 80, view);
  CHECK(lines.first == 0);
  CHECK(lines.rows.front().domain == id("db"));
  view.selected = id("gone");
  CHECK(crowd.lines(7, 80, view).first == 20);
}

TEST_CASE("red is short of memory, yellow other trouble, and the floor itself neither") {
  DomainTable table;
  const TableLines lines = table.lines(mixed_tick(), 0, wide(160));
  const Styled short_row = row_of_domain(lines, "1-short");
  for (const char* text : {"1-short", "20 MiB", "short by 80 MiB"}) {
    CHECK(tint_of_text(short_row, text) == Tint::red);
  }
  CHECK(tint_of_text(short_row, ": the host has") == Tint::none);
  CHECK(tint_of_text(row_of_domain(lines, "3-hung"), "3-hung") == Tint::yellow);
  CHECK(tint_of_text(row_of_domain(lines, "3-hung"), "does not answer") == Tint::yellow);
  CHECK(tint_of_text(row_of_domain(lines, "5-failed"), "no answer") == Tint::yellow);
  CHECK(tint_of_text(row_of_domain(lines, "a-excluded"), "excluded") == Tint::dim);

  Crowd crowd(1);
  const TableLines crowded = crowd.lines(0, 160);
  for (const Piece& piece : row_of_domain(crowded, "guest-001")) {
    CHECK(piece.tint != Tint::red);
    CHECK(piece.tint != Tint::yellow);
  }
  CHECK(tint_of_text(row_of_domain(crowded, "db"), "40 MiB") == Tint::red);
  CHECK(tint_of_text(row_of_domain(crowded, "db"), "20 MiB") == Tint::none);
  CHECK(tint_of_text(crowd.lines(4, 80).rest, "1 short of memory") == Tint::red);
}

TEST_CASE("columns keep their places from tick to tick, and from page to page") {
  DomainTable table;
  const auto header = [&](const Tick& tick, const TableView& view = {}) {
    table.remember(tick);
    return render(table.lines(tick, 4, wide(105), view).header, false);
  };
  Tick tick = crowded_tick(1, 30);
  const std::string before = header(tick);
  tick = crowded_tick(2, 30);
  tick.snapshot.domains[4].actual = 1023_MiB;
  tick.decisions = {{tick.snapshot.domains[4].uuid(), 1023_MiB, 13_MiB, 13_MiB, "gives", {}}};
  CHECK(header(tick) == before);
  TableView last_page;
  last_page.first = 25;
  CHECK(header(tick, last_page) == before);
}

TEST_CASE("names are cut at a third of the screen, and never without a screen") {
  const std::string long_name = "a-name-that-is-much-longer-than-a-third-of-the-screen";
  Tick tick;
  tick.snapshot = World().domain(long_name, unused(20_MiB));
  CHECK(plain(DomainTable().lines(tick, 0, wide(80)).all()) ==
        "DOMAIN                        ACTUAL    UNUSED  WHY\n"
        "a-name-that-is-much-longe~     1 GiB    20 MiB  short: the host has nothing to ~\n");
  CHECK(plain(DomainTable().lines(tick, 0, wide(0)).all()).find(long_name + "     1 GiB") !=
        std::string::npos);
}

TEST_CASE("the names of columns and of choices are read back") {
  for (int i = 0; i < kSortColumnCount; ++i) {
    const auto column = static_cast<SortColumn>(i);
    CHECK(sort_column_from_text(to_text(column)) == column);
  }
  CHECK_FALSE(sort_column_from_text("memory"));
  CHECK(only_from_text("moved") == TableView::Only::moved);
  CHECK_FALSE(only_from_text("most"));
}

TEST_CASE("the same tick twice is remembered once") {
  DomainTable table;
  table.remember(crowded_tick(1, 1));
  const Tick tick = crowded_tick(2, 1);
  for (int i = 0; i < 2; ++i) {
    table.remember(tick);
    CHECK(table.short_domains() == 3);
    CHECK(table.problem(tick, tick.snapshot.domains[0]) ==
          "short by 60 MiB, swaps: the host has nothing to grant");
  }
  Tick failed;
  failed.sample_error = Error{ErrorCode::unavailable, "test:///", "is down", {}, {}};
  table.remember(failed);
  CHECK(table.short_domains() == 3);
}
