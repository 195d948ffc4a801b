#include "engine/core/screen_text.h"

#include <doctest/doctest.h>

#include <limits>
#include <sstream>
#include <string>

using namespace memcoord;

TEST_CASE("only the program itself ends lines and paints, not the texts that it prints") {
  std::ostringstream stream;
  TextOut out(stream);
  out << "a\nb" << '\t' << std::string("\x1b[2J") << 7 << '\n' << Painted{Tint::red, "c\x1b[0m"};
  out << Painted{Tint::none, "d\u202e"};
  CHECK(stream.str() == "a b\t?[2J7\n\x1b[31mc?[0m\x1b[0md?");
}

TEST_CASE("lines of the program's own keep their ends and tabs, and no other character that acts") {
  std::ostringstream stream;
  TextOut(stream).lines("a\n\tb\x1b[31m\n\nc\u009b\n");
  CHECK(stream.str() == "a\n\tb?[31m\n\nc?\n");
}

TEST_CASE("a text is cut to its width on the screen, and cannot act on the terminal") {
  CHECK(fit("a\x1b[2Jb", 20, true) == "a?[2Jb");
  CHECK(fit("abcdef", 4, false) == "abc~");
  CHECK(fit("abcdef", 4, true) == "abc…");
  CHECK(display_width("日本") == 4);
  CHECK(fit("日本語", 5, true) == "日本…");
  CHECK(fit("日本", 10, false) == "??");
}

TEST_CASE("a sparkline is scaled from zero to the top") {
  const double values[] = {0, 50, 100, std::numeric_limits<double>::quiet_NaN()};
  CHECK(sparkline(values, 100, true) == "▁▅█ ");
  CHECK(sparkline(values, 0, false) == "_=# ");
}
