#include "engine/core/text_out.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace memcoord;

TEST_CASE("a text ends no line and paints nothing, what stands between texts does") {
  std::ostringstream stream;
  TextOut out(stream);
  out << "a\nb" << '\t' << std::string("\x1b[2J") << 7 << '\n' << Painted{"31", "c\x1b[0m"};
  out << Painted{"", "d\u202e"};
  CHECK(stream.str() == "a b\t?[2J7\n\x1b[31mc?[0m\x1b[0md?");
}

TEST_CASE("lines of the program's own keep their ends and tabs, and nothing else that acts") {
  std::ostringstream stream;
  TextOut(stream).lines("a\n\tb\x1b[31m\n\nc\u009b\n");
  CHECK(stream.str() == "a\n\tb?[31m\n\nc?\n");
}
