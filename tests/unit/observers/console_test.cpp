#include "engine/observers/console.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string>

#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

std::string drawn(const Tick& tick, ConsoleStyle style) {
  std::ostringstream out;
  ConsoleTable table(out, style);
  table.observe(tick);
  return out.str();
}

std::size_t widest(const std::string& text) {
  std::istringstream stream(text);
  std::string line;
  std::size_t most = 0;
  while (std::getline(stream, line)) most = std::max(most, display_width(line));
  return most;
}

}  // namespace

TEST_CASE("a plain table shows the host, every domain, the changes and the reasons") {
  ConsoleStyle style;
  style.width = 110;
  CHECK(drawn(busy_tick(), style) ==
        "memcoord  tick 7  00:00:00 UTC  policy halving  headroom larger  3 domains, 1 skipped\n"
        "host  total 8 GiB  free 2 GiB  available 3 GiB  buffers 20 MiB  cached 1 GiB  grantable "
        "1.8 GiB\n"
        "DOMAIN   ACTUAL  AVAILABLE   UNUSED   USABLE    CHANGE  WHY\n"
        "db        2 GiB          -  800 MiB  900 MiB  -400 MiB  halved to feed web [gradual]\n"
        "old       1 GiB          -  200 MiB        -            is paused\n"
        "web     512 MiB          -   50 MiB        -    +1 GiB  no answer\n\n");
}

TEST_CASE("red marks the figure that makes a domain or the host low") {
  Tick tick;
  tick.snapshot = World()
                      .host(8_GiB, free(111_MiB), available(150_MiB))
                      .domain("cached", unused(20_MiB), usable(120_MiB))
                      .domain("empty", unused(130_MiB), usable(80_MiB));
  ConsoleStyle style;
  style.color = true;
  style.width = 160;
  const auto is_red = [](const std::string& text, const std::string& figure) {
    const std::size_t at = text.find(figure);
    const std::size_t color = text.rfind('\x1b', at);
    return at != std::string::npos && text.compare(color, 5, "\x1b[31m") == 0;
  };
  const std::string by_larger = drawn(tick, style);
  for (const char* figure : {"120 MiB", "130 MiB", "150 MiB"}) CHECK(is_red(by_larger, figure));
  for (const char* figure : {"20 MiB ", "80 MiB", "111 MiB"})
    CHECK_FALSE(is_red(by_larger, figure));
  tick.limits.headroom = Headroom::unused;
  const std::string by_unused = drawn(tick, style);
  CHECK(by_unused.find("headroom unused") != std::string::npos);
  for (const char* figure : {"130 MiB", "111 MiB"}) CHECK(is_red(by_unused, figure));
  for (const char* figure : {"120 MiB", "150 MiB"}) CHECK_FALSE(is_red(by_unused, figure));
}

TEST_CASE("with one unit for all sizes, the titles are those of the classic tools") {
  ConsoleStyle style;
  style.width = 110;
  Tick tick = busy_tick();
  tick.limits.units = Units::kib;
  CHECK(drawn(tick, style)
            .find("Domain  Actual (KiB)  Available (KiB)  Unused (KiB)  "
                  "Usable (KiB)    Change  Why\n"
                  "db           2097152                -        819200        "
                  "921600   -409600  halved to feed web [gradual]\n") != std::string::npos);
  CHECK(drawn(tick, style).find("total 8388608 KiB") != std::string::npos);
  tick.limits.units = Units::gib;
  CHECK(drawn(tick, style).find("Actual (GiB)  Available (GiB)  Unused (GiB)") !=
        std::string::npos);
  CHECK(drawn(tick, style).find("0.781") != std::string::npos);
}

TEST_CASE("at 80 columns, the classic columns stay") {
  Tick tick = busy_tick();
  tick.snapshot =
      World().host(8_GiB).domain("a-name-of-twenty-four-col", actual(200_GiB), maximum(300_GiB),
                                 guest_total(199_GiB), unused(100_GiB), usable(120_GiB));
  tick.skipped.clear();
  tick.decisions = {{id("a-name-of-twenty-four-col"), 200_GiB, 300_GiB, 300_GiB, "x", {}}};
  ConsoleStyle style;
  style.width = 80;
  style.color = true;  // so that there is a picture that could take their room
  for (const Units units : {Units::automatic, Units::kib, Units::mib, Units::gib}) {
    tick.limits.units = units;
    const std::string table = drawn(tick, style);
    CAPTURE(table);
    const bool classic = units != Units::automatic;
    for (const char* title : {"Domain", "Actual", "Available", "Unused"}) {
      std::string shown = title;
      if (!classic) std::transform(shown.begin(), shown.end(), shown.begin(), ::toupper);
      CHECK(table.find(shown) != std::string::npos);
    }
    if (units == Units::kib) CHECK(table.find("208666624") != std::string::npos);
  }
}

TEST_CASE("a narrow screen drops columns and cuts texts, and no line is too long") {
  for (const int width : {100, 80, 60, 40, 30}) {
    CAPTURE(width);
    ConsoleStyle style;
    style.width = width;
    const std::string text = drawn(busy_tick(), style);
    CHECK(widest(text) <= static_cast<std::size_t>(width));
    CHECK(text.find("web") != std::string::npos);
  }
}

TEST_CASE("a short screen shows changed domains first, and counts the rest") {
  World world;
  for (int i = 0; i < 1000; ++i) world.domain("domain-" + std::to_string(1000 + i));
  Tick tick;
  tick.snapshot = world;
  tick.decisions = {{id("domain-1900"), 1_GiB, 2_GiB, 2_GiB, "grows", {}}};
  ConsoleStyle style;
  style.height = 20;
  const std::string text = drawn(tick, style);
  CHECK(text.find("domain-1900") != std::string::npos);
  CHECK_MESSAGE(text.find("and 985 more, unchanged") != std::string::npos, text);
}

TEST_CASE("colours and sparklines appear only if they are wanted") {
  ConsoleStyle style;
  CHECK(drawn(busy_tick(), style).find('\x1b') == std::string::npos);
  style.color = style.unicode = true;
  style.width = 140;
  const std::string text = drawn(busy_tick(), style);
  CHECK(text.find("\x1b[32m") != std::string::npos);
  CHECK(text.find("█") != std::string::npos);
}

TEST_CASE("an interactive table replaces the last one, with the newest messages below") {
  std::ostringstream out;
  ConsoleStyle style;
  style.interactive = true;
  style.width = 100;
  style.height = 30;
  ConsoleTable table(out, style);
  table.observe(busy_tick());
  table.add_message("web was fed");
  out.str("");
  table.observe(busy_tick());
  CHECK(out.str().find("\x1b[7A") < 20);
  CHECK(out.str().find("00:00:00  web was fed") != std::string::npos);
  CHECK(out.str().find("web was fed") != std::string::npos);
}

TEST_CASE("after a full disk behind the output, later tables are written") {
  struct FullOnce final : std::stringbuf {
    bool full = true;
    std::streamsize xsputn(const char* text, std::streamsize n) override {
      return full ? 0 : std::stringbuf::xsputn(text, n);
    }
    int overflow(int c) override { return full ? EOF : std::stringbuf::overflow(c); }
  } disk;
  std::ostream out(&disk);
  ConsoleTable table(out, {});
  table.observe(busy_tick());
  CHECK(disk.str().empty());
  disk.full = false;
  table.observe(busy_tick());
  CHECK(disk.str().find("web") != std::string::npos);
}

TEST_CASE("a trend begins at the start of its domain, and is forgotten with the domain") {
  const auto tick = [](std::uint64_t number, const std::string& name, int start) {
    Tick one;
    one.number = number;
    one.snapshot = World().domain(name, numbered(start), unused(500_MiB));
    return one;
  };
  std::ostringstream out;
  ConsoleStyle style;
  style.color = style.unicode = true;
  style.width = 200;
  ConsoleTable table(out, style);
  const auto bars = [&](const Tick& shown) {
    out.str("");
    table.observe(shown);
    std::size_t n = 0;
    // The trend of half a balloon: one such sign an observation.
    for (std::size_t at = 0; (at = out.str().find("\u2584", at)) != std::string::npos; ++at) ++n;
    return n;
  };
  CHECK(bars(tick(1, "a", 1)) == 1);
  CHECK(bars(tick(2, "a", 1)) == 2);
  CHECK(bars(tick(3, "a", 2)) == 1);
  for (std::uint64_t i = 0; i < 7 * 24 * 60; ++i) {
    (void)bars(tick(4 + i, "vm" + std::to_string(i), 1));
  }
  CHECK(table.remembered() == 1);
}
