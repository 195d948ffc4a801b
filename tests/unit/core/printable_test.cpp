#include "engine/core/printable.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <string>

using namespace memcoord;

namespace {

std::string utf8(char32_t code) {
  const auto byte = [](char32_t bits) {
    return static_cast<char>(static_cast<unsigned char>(bits));
  };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0 | (code >> 6U)), byte(0x80 | (code & 0x3fU))};
  if (code >= 0x10000) {
    return {byte(0xf0 | (code >> 18U)), byte(0x80 | ((code >> 12U) & 0x3fU)),
            byte(0x80 | ((code >> 6U) & 0x3fU)), byte(0x80 | (code & 0x3fU))};
  }
  return {byte(0xe0 | (code >> 12U)), byte(0x80 | ((code >> 6U) & 0x3fU)),
          byte(0x80 | (code & 0x3fU))};
}

/// A command line's words as bash reads them.
std::string said_by_bash(const std::string& words) {
  const std::string path = "/tmp/memcoord-shell-word-" + std::to_string(::getpid());
  FILE* script = std::fopen(path.c_str(), "w");
  REQUIRE(script != nullptr);
  std::fputs(("printf '[%s]' " + words + "\n").c_str(), script);
  std::fclose(script);
  FILE* pipe = ::popen(("bash " + path).c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
  ::pclose(pipe);
  std::remove(path.c_str());
  return out;
}

}  // namespace

TEST_CASE("ordinary text of any script is printable as it is") {
  for (const char* text : {"web1", "büro-ß-1", "開発サーバー", "🚀", "خادم", ""}) {
    CHECK(printable(text) == text);
  }
}

TEST_CASE("every character that acts is replaced") {
  for (char32_t code = 0; code < 0x2100; ++code) {
    const std::string text = "a" + utf8(code) + "b";
    const std::string shown = printable(text);
    CAPTURE(static_cast<unsigned>(code));
    const bool blank = code == '\n' || code == '\t' || code == '\r';
    const bool as_it_is = shown == text;
    CHECK(as_it_is != acts(code));
    if (acts(code)) CHECK(shown == (blank ? "a b" : "a?b"));
  }
  for (const char32_t code : U"\x1b\x7f\x85\x9b\u061c\u200e\u200f\u2028\u202a\u202e\u2066\u2069") {
    if (code == 0) continue;  // the literal's end
    CAPTURE(static_cast<unsigned>(code));
    CHECK(acts(code));
  }
}

TEST_CASE("invisible characters are replaced: two names that look alike are equal") {
  for (const char32_t code :
       U"\u00ad\u034f\u115f\u17b4\u180e\u200b\u200c\u200d\u2060\u2064\u3164\ufe0f\ufeff\uffa0\ufffb"
       U"\U0001d173\U000e0001\U000e0061\U000e01ef") {
    if (code == 0) continue;  // the literal's end
    CAPTURE(static_cast<unsigned>(code));
    CHECK(printable("we" + utf8(code) + "b") == "we?b");
  }
  CHECK(printable("e\u0301") == "e\u0301");  // an accent shows
}

TEST_CASE("each byte that is no UTF-8 becomes a question mark") {
  CHECK(printable("a\xff\xc3z\xed\xa0\x80") == "a??z???");
  CHECK(printable("\xc0\x9b") == "??");
}

TEST_CASE("a long text is cut between characters") {
  CHECK(printable("ßßß", 4) == "ßß...");
  CHECK(printable("ßßß", 5) == "ßß...");
  CHECK(printable("abc", 3) == "abc");
}

TEST_CASE("an excerpt is cut between characters and otherwise unchanged") {
  CHECK(excerpt("a\nb", 3) == "a\nb");
  CHECK(excerpt("ßßß", 4) == "ßß...");
  CHECK(excerpt("ßßß", 5) == "ßß...");
  CHECK(excerpt("🚀🚀", 7) == "🚀...");
  CHECK(excerpt("\x80\x80\x80\x80\x80\x80", 5).ends_with("..."));
}

TEST_CASE("JSON keeps its meaning: characters that act are escaped") {
  CHECK(printable_json("{\n  \"a\": \"\xc2\x9b\xe2\x80\xae"
                       "ß\"\n}") == "{\n  \"a\": \"\\u009b\\u202eß\"\n}");
  CHECK(printable_json("\"\U000e0061\u200b🚀\"") == "\"\\udb40\\udc61\\u200b🚀\"");
}

TEST_CASE("plain names need no quotes") {
  CHECK(shell_word("web-1.example.org") == "web-1.example.org");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
}

TEST_CASE("an argument that looks like an option follows --") {
  CHECK(shell_argument("-weight") == "-- -weight");
  CHECK(shell_argument("weight") == "weight");
}

TEST_CASE("bash reads back exactly what was quoted, and the word itself is printable") {
  for (const std::string text :
       {"my vm; reboot", "db$(touch pwned);'\"", "it's", "back\\slash", "web[1]*", "~root", "!x",
        "c1-\xc2\x9b"
        "31mred",
        "rtl-\xe2\x80\xaegnp.exe", "new\nline", "\xff\xfe'", "#a", "a=b", "開発 サーバー"}) {
    CAPTURE(text);
    const std::string word = shell_word(text);
    CHECK(printable(word) == word);
    CHECK(said_by_bash(word) == "[" + text + "]");
  }
}
