#include "engine/core/text_table.h"

#include <doctest/doctest.h>

using memcoord::TextTable;

TEST_CASE("columns are as wide as their widest cell, and lines end without blanks") {
  TextTable table({{"NAME"}, {"SIZE", TextTable::Align::right}, {"NOTE"}});
  table.add_row({"a", "512 MiB", ""});
  table.add_row({"web-früh", "1 GiB", "starved"});
  CHECK(table.text(false) ==
        "NAME         SIZE  NOTE\n"
        "a         512 MiB\n"
        "web-früh    1 GiB  starved\n");
}

TEST_CASE("a cell cannot act on the terminal") {
  TextTable table({{"NAME"}});
  table.add_row({"a\x1b[2Jb\nc"});
  table.add_row(
      {"\xc2\x9b"
       "31m\xe2\x80\xae"});
  CHECK(table.text(false) == "NAME\na?[2Jb c\n?31m?\n");
}

TEST_CASE("wide characters take two columns, combining ones none") {
  TextTable table({{"NAME"}, {"SIZE"}});
  table.add_row({"開発", "1"});
  table.add_row({"abcd", "2"});
  CHECK(table.text(false) == "NAME  SIZE\n開発  1\nabcd  2\n");
}

TEST_CASE("a row that is too short gets empty cells, and a coloured heading is bold") {
  TextTable table({{"A"}, {"B"}});
  table.add_row({"x"});
  CHECK(table.text(true) == "\x1b[1mA  B\x1b[0m\nx\n");
}
