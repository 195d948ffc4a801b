#include "engine/observers/console.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string>

#include "tests/text.h"
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
  CHECK(
      drawn(busy_tick(), style) ==
      "memcoord  tick 7  00:00:00 UTC  policy halving  headroom larger  3 domains, 1 short of "
      "memory, 1 skipped\n"
      "host  total 8 GiB  free 2 GiB  available 3 GiB  grantable 1.8 GiB  buffers 20 MiB  cached "
      "1 GiB\n"
      "DOMAIN    ACTUAL  AVAILABLE    UNUSED    USABLE     CHANGE  WHY\n"
      "web      512 MiB          -    50 MiB         -     +1 GiB  short by 50 MiB: not moved: no "
      "answer\n"
      "old        1 GiB          -   200 MiB         -             is paused\n"
      "db         2 GiB          -   800 MiB   900 MiB   -400 MiB  halved to feed web "
      "[gradual]\n\n");
}

TEST_CASE("the host's line has what is reserved for guests that start, as long as there is any") {
  Tick tick = busy_tick();
  tick.snapshot.reserves.push_back({.name = "new", .size = 512_MiB});
  ConsoleStyle style;
  style.width = 110;
  CHECK(contains(drawn(tick, style), "  reserved 512 MiB"));
  CHECK_FALSE(contains(drawn(busy_tick(), style), "reserved"));
}

TEST_CASE("the host's free memory is red under its floor, yellow with nothing for a short domain") {
  const auto tint = [](MemorySize free_memory, MemorySize grantable, std::size_t short_domains) {
    Tick tick;
    tick.snapshot = World().host(8_GiB, free(free_memory), available(2 * free_memory));
    tick.grantable = grantable;
    const std::string size = (2 * free_memory).text();
    const std::vector<Styled> head = head_lines(tick, short_domains, {});
    for (const Piece& piece : head.at(1)) {
      if (piece.text == size) return piece.tint;
    }
    FAIL("no such figure: " << size);
    return Tint::none;
  };
  CHECK(tint(99_MiB, 0_MiB, 0) == Tint::red);
  CHECK(tint(100_MiB, 0_MiB, 0) == Tint::none);  // exactly its floor
  CHECK(tint(2_GiB, 0_MiB, 1) == Tint::yellow);
  CHECK(tint(2_GiB, 1_GiB, 1) == Tint::none);
}

TEST_CASE("the colour is that of the figure which counts against the floor") {
  Tick tick;
  tick.snapshot = World().host(8_GiB, free(111_MiB), available(150_MiB));
  const auto red_figure = [&] {
    std::string text;
    const std::vector<Styled> head = head_lines(tick, 0, {});
    for (const Piece& piece : head.at(1)) {
      if (piece.tint == Tint::red) text += piece.text;
    }
    return text;
  };
  CHECK(red_figure() == "150 MiB");
  tick.limits.headroom = Headroom::unused;
  CHECK(red_figure() == "111 MiB");
}

TEST_CASE("with one unit for all sizes, the titles are those of the classic tools") {
  ConsoleStyle style;
  style.width = 110;
  Tick tick = busy_tick();
  tick.limits.units = Units::kib;
  const std::string table = drawn(tick, style);
  const std::string rows =
      "Domain  Actual (KiB)  Available (KiB)  Unused (KiB)  Why\n"
      "web           524288                -         51200  short by 51200 KiB: not moved: no "
      "answer\n"
      "old          1048576                -        204800  is paused\n"
      "db           2097152                -        819200  -409600 KiB, halved to feed web "
      "[gradual]\n\n";
  CHECK_MESSAGE(table.ends_with(rows), table);
  CHECK(drawn(tick, style).find("total 8388608 KiB") != std::string::npos);
  tick.limits.units = Units::gib;
  CHECK(drawn(tick, style).find("Actual (GiB)  Available (GiB)  Unused (GiB)") !=
        std::string::npos);
  CHECK(drawn(tick, style).find("0.781") != std::string::npos);
}

TEST_CASE("at 80 columns, the columns of the classic tools stay") {
  Tick tick = busy_tick();
  tick.snapshot =
      World().host(8_GiB).domain("a-name-of-twenty-four-col", actual(200_GiB), maximum(300_GiB),
                                 guest_total(199_GiB), unused(100_GiB), usable(120_GiB));
  tick.skipped.clear();
  tick.decisions = {{id("a-name-of-twenty-four-col"), 200_GiB, 300_GiB, 300_GiB, "x", {}}};
  ConsoleStyle style;
  style.width = 80;
  style.color = true;  // so that there is a picture that could take their room
  for (const Units units : {Units::kib, Units::mib, Units::gib}) {
    tick.limits.units = units;
    const std::string table = drawn(tick, style);
    CAPTURE(table);
    for (const char* title : {"Domain", "Actual", "Available", "Unused", "Why"}) {
      CHECK(table.find(title) != std::string::npos);
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

TEST_CASE("a screen of 24 lines shows the guests in trouble, with reasons") {
  std::ostringstream out;
  ConsoleStyle style;
  style.width = 80;
  style.height = 24;
  ConsoleTable table(out, style);
  table.observe(crowded_tick(1, 400));
  out.str("");
  table.observe(crowded_tick(2, 400));
  const std::string begin =
      "memcoord  tick 2  00:00:02 UTC  policy adaptive  403 domains, 3 short of memory\n"
      "host  total 64 GiB  free 3 GiB  available 4 GiB  grantable 0 KiB  buffers 0 KiB\n"
      "      cached 0 KiB\n"
      "DOMAIN       ACTUAL    USABLE  WHY\n"
      "db            1 GiB    40 MiB  short by 60 MiB: the host has nothing to grant\n"
      "shop          1 GiB    55 MiB  short by 45 MiB: the host has nothing to grant\n"
      "web           1 GiB    70 MiB  short by 30 MiB: the host has nothing to grant\n"
      "guest-001     2 GiB   100 MiB\n";
  CHECK(out.str().substr(0, begin.size()) == begin);
  CHECK_MESSAGE(out.str().ends_with("guest-015     2 GiB   100 MiB\n"
                                    "and 385 more, none short of memory\n\n"),
                out.str());
}

TEST_CASE("a small screen has rows before a head, messages and a legend") {
  // 33 domains, 3 of them in trouble, on a head of 3 lines, with 4 messages and a legend.
  const ScreenLines wanted{3, 34, 5, 1};
  const auto share = [&](std::size_t height) { return share_screen(height, wanted, 3); };
  CHECK(share(1) == ScreenLines{0, 1, 0, 0});
  CHECK(share(4) == ScreenLines{0, 4, 0, 0});
  CHECK(share(5) == ScreenLines{0, 5, 0, 0});
  CHECK(share(6) == ScreenLines{1, 5, 0, 0});
  CHECK(share(7) == ScreenLines{1, 5, 0, 1});
  CHECK(share(9) == ScreenLines{3, 5, 0, 1});
  CHECK(share(10) == ScreenLines{3, 6, 0, 1});
  CHECK(share(11) == ScreenLines{3, 5, 2, 1});
  CHECK(share(24) == ScreenLines{3, 15, 5, 1});
  CHECK(share(100) == wanted);
  SUBCASE("more rows in trouble take the place of messages, then of the host's second line") {
    CHECK(share_screen(24, wanted, 20) == ScreenLines{2, 21, 0, 1});
    CHECK(share_screen(24, wanted, 15) == ScreenLines{3, 17, 3, 1});
  }
}

TEST_CASE("the head names the fallback policy while it decides") {
  Tick tick = crowded_tick(1, 1);
  tick.policy = "boom";
  tick.fallback = "halving";
  CHECK(contains(render(head_lines(tick, 0, ConsoleStyle()).front(), false),
                 "  policy boom, fallback halving decides  "));
}

TEST_CASE("a small screen's head loses its least figures first, then the host, never errors") {
  Tick tick = crowded_tick(2, 30);
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, {}};
  ConsoleStyle style;
  style.width = 40;
  const auto head = [&](std::size_t room) {
    std::string text;
    for (const Styled& line : head_lines(tick, 3, style, room)) text += render(line, false) + "\n";
    return text;
  };
  CHECK(head(0) ==
        "33 domains, 3 short of memory\n"
        "host  total 64 GiB  free 3 GiB\n"
        "      available 4 GiB  grantable 0 KiB\n"
        "      buffers 0 KiB  cached 0 KiB\n"
        "policy: a.lua:3: broke\n");
  CHECK(head(3) ==
        "33 domains, 3 short of memory\n"
        "host  available 4 GiB  grantable 0 KiB\n"
        "policy: a.lua:3: broke\n");
  CHECK(head(2) ==
        "33 domains, 3 short of memory\n"
        "policy: a.lua:3: broke\n");
  CHECK(head(1) == "33 domains, 3 short of memory\n");
}

TEST_CASE("in a pipe, each tick is a block with every domain and its whole name") {
  std::ostringstream out;
  ConsoleTable table(out, {});
  const std::string long_name(70, 'n');
  for (const std::uint64_t number : {1U, 2U}) {
    Tick tick;
    tick.number = number;
    tick.snapshot = World().host(8_GiB, free(2_GiB)).domain(long_name).domain("web");
    table.observe(tick);
  }
  const std::string pad(67, ' ');
  const std::string block =
      "host  total 8 GiB  free 2 GiB  grantable 0 KiB  buffers 0 KiB  cached 0 KiB\n"
      "DOMAIN" +
      std::string(64, ' ') + "    ACTUAL  AVAILABLE    UNUSED    USABLE     CHANGE  WHY\n" +
      long_name +
      "     1 GiB          -   200 MiB         -\n"
      "web" +
      pad + "     1 GiB          -   200 MiB         -\n\n";
  CHECK(out.str() ==
        "memcoord  tick 1  00:00:00 UTC  policy   headroom larger  2 domains\n" + block +
            "memcoord  tick 2  00:00:00 UTC  policy   headroom larger  2 domains\n" + block);
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
  const auto tick = [](std::uint64_t number, const std::string& name, int start,
                       Duration early = {}) {
    Tick one;
    one.number = number;
    one.snapshot = World()
                       .at(std::chrono::seconds(number) - early)
                       .domain(name, numbered(start), unused(500_MiB));
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
  CHECK(bars(tick(2, "a", 1, std::chrono::milliseconds(400))) == 1);
  CHECK(bars(tick(2, "a", 1)) == 2);
  CHECK(bars(tick(3, "a", 2)) == 1);
  for (std::uint64_t i = 0; i < 7 * 24 * 60; ++i) {
    (void)bars(tick(4 + i, "vm" + std::to_string(i), 1));
  }
  CHECK(table.remembered() == 1);
}
