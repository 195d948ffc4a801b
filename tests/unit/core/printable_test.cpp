#include "engine/core/printable.h"

#include <doctest/doctest.h>

#include <string>

using namespace memcoord;

namespace {

std::string utf8(char32_t code) {
  const auto byte = [](char32_t bits) {
    return static_cast<char>(static_cast<unsigned char>(bits));
  };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0 | (code >> 6U)), byte(0x80 | (code & 0x3fU))};
  return {byte(0xe0 | (code >> 12U)), byte(0x80 | ((code >> 6U) & 0x3fU)),
          byte(0x80 | (code & 0x3fU))};
}

}  // namespace

TEST_CASE("ordinary text of any script stays as it is") {
  for (const char* text : {"web1", "büro-ß-1", "開発サーバー", "🚀", "خادم", ""}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("no character that acts is left, whichever it is") {
  for (char32_t code = 0; code < 0x2100; ++code) {
    const std::string text = "a" + utf8(code) + "b";
    const std::string shown = printable(text);
    CAPTURE(static_cast<unsigned>(code));
    const bool blank = code == '\n' || code == '\t' || code == '\r';
    const bool as_it_is = shown == text;
    CHECK(as_it_is != acts(code));
    if (acts(code)) CHECK(shown == (blank ? "a b" : "a?b"));
  }
  for (const char32_t code :
       {0x1b, 0x7f, 0x85, 0x9b, 0x61c, 0x200e, 0x200f, 0x2028, 0x202a, 0x202e, 0x2066, 0x2069}) {
    CAPTURE(static_cast<unsigned>(code));
    CHECK(acts(code));
  }
}

TEST_CASE("bytes that are no UTF-8 become question marks, a byte each") {
  CHECK(printable("a\xff\xc3z\xed\xa0\x80") == "a??z???");
  CHECK(printable("\xc0\x9b") == "??");
}

TEST_CASE("a long text is cut at a character") {
  CHECK(printable("ßßß", 4) == "ßß...");
  CHECK(printable("ßßß", 5) == "ßß...");
  CHECK(printable("abc", 3) == "abc");
}

TEST_CASE("JSON keeps its meaning: what acts is escaped, not replaced") {
  CHECK(printable_json("{\n  \"a\": \"\xc2\x9b\xe2\x80\xae"
                       "ß\"\n}") == "{\n  \"a\": \"\\u009b\\u202eß\"\n}");
}
