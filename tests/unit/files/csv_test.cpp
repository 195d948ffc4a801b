#include "engine/files/csv.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using memcoord::files::csv_field;
using memcoord::files::csv_fields;

TEST_CASE("a text that a spreadsheet would take for a formula gets an apostrophe") {
  for (const std::string formula :
       {"=1+1", "+1", "-2+3", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=1", "\tx", "＝1", "＠x"}) {
    CAPTURE(formula);
    std::string field = csv_field(formula);
    if (field.starts_with('"')) field.erase(0, 1);
    CHECK(field.starts_with('\''));
  }
  for (const std::string text : {"web", "a=b", "x-1", "büro", "1=1"})
    CHECK(csv_field(text) == text);
}

TEST_CASE("a field is printable, and quoted if its characters would end it") {
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("a;=1") == "\"a;=1\"");
  CHECK(csv_field("say \"hi\"") == "\"say \"\"hi\"\"\"");
  CHECK(csv_field("a\nb\x1b[31m") == "a b?[31m");
}

TEST_CASE("fields are read as they were written") {
  for (const std::string text :
       {"web", "a,b", "a;b", "=1+1", "-2+3", "'tis", "say \"hi\", all", "\"", "", "=\"a\",;"}) {
    CAPTURE(text);
    CHECK(csv_fields("t_s," + csv_field(text) + ",x") ==
          std::vector<std::string>{"t_s", text, "x"});
  }
  CHECK(csv_fields(" a , \"b\" ,c") == std::vector<std::string>{"a", "b", "c"});
  CHECK(csv_fields("") == std::vector<std::string>{""});
  CHECK(csv_fields("\"no end") == std::vector<std::string>{"no end"});
}
