#include "engine/observers/domain_table.h"

#include <doctest/doctest.h>

#include <cstdio>
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

}  // namespace

TEST_CASE("gen") {
  auto p = [](const char* n, const std::string& t) { std::printf("--- %s\n%s", n, t.c_str()); };
  p("30 10x80", Crowd(30).text(10, 80));
  p("30 10x105", Crowd(30).text(10, 105));
  ConsoleStyle st = wide(160); st.interactive = true; 
  Crowd c(30); p("30 10x160", plain(c.table.lines(c.tick, 7, st).all()));
  p("30 4x40", Crowd(30).text(4, 40));
  p("30 0x0", Crowd(2).text(0, 0));
  Crowd u(2); u.tick.limits.units = Units::mib; p("mib", u.text(0, 80));
}
