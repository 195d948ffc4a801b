#include "engine/core/glob.h"

#include <doctest/doctest.h>

#include <string>

using namespace memcoord;

TEST_CASE("a star stands for any run, a question mark for any one byte, all else for itself") {
  CHECK(glob_matches("web*", "web1"));
  CHECK(glob_matches("*", ""));
  CHECK(glob_matches("w?b", "web"));
  CHECK(glob_matches("*-db-*", "shop-db-2"));
  CHECK(glob_matches("a*b*c", "aXbYbZc"));
  CHECK_FALSE(glob_matches("web", "web1"));
  CHECK_FALSE(glob_matches("?", ""));
  CHECK_FALSE(glob_matches("[a]", "a"));
}

TEST_CASE("a pattern of many stars ends soon on a text that it does not match") {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "a*";
  CHECK_FALSE(glob_matches(pattern + "b", std::string(20'000, 'a')));
}
