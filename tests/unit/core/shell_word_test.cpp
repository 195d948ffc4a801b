#include "engine/core/shell_word.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "engine/core/printable.h"

using namespace memcoord;

namespace {

/// What bash makes of a command line's words.
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

TEST_CASE("plain names need no quotes") {
  CHECK(shell_word("web-1.example.org") == "web-1.example.org");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
}

TEST_CASE("an argument that looks like an option stands behind --") {
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
