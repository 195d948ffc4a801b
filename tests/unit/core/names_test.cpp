#include "engine/core/names.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace memcoord;

TEST_CASE("in a pattern a star matches any run, a question mark any one byte") {
  CHECK(glob_matches("web*", "web1"));
  CHECK(glob_matches("*", ""));
  CHECK(glob_matches("w?b", "web"));
  CHECK(glob_matches("*-db-*", "shop-db-2"));
  CHECK(glob_matches("a*b*c", "aXbYbZc"));
  CHECK_FALSE(glob_matches("web", "web1"));
  CHECK_FALSE(glob_matches("?", ""));
  CHECK_FALSE(glob_matches("[a]", "a"));
}

TEST_CASE("a pattern of many stars fails fast on a text that it does not match") {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "a*";
  CHECK_FALSE(glob_matches(pattern + "b", std::string(20'000, 'a')));
}

TEST_CASE("a misspelt name finds the one that was meant") {
  const std::vector<std::string> names{"unused", "usable", "actual", "headroom"};
  CHECK(suggest_name("unusd", names) == "unused");
  CHECK(suggest_name("Actual", names) == "actual");
  CHECK(suggest_name("haedroom", names) == "headroom");
  CHECK_FALSE(suggest_name("priority", names).has_value());
}

TEST_CASE("a swap of neighbours is one edit") {
  CHECK(edit_distance("abcd", "abdc") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("same", "same") == 0);
}

TEST_CASE("the work for a message is bounded") {
  std::vector<std::string> names(kMaxLikelyNames, "unused");
  CHECK(suggest_name("unusd", names) == "unused");
  names.emplace_back("unused");
  CHECK_FALSE(suggest_name("unusd", names).has_value());
  const std::string longest(kLongestLikelyName, 'x');
  const std::vector<std::string> one{longest};
  CHECK(suggest_name(longest.substr(1), one) == longest);
  CHECK_FALSE(suggest_name(longest + 'x', one).has_value());
  const std::vector<std::string> too_long{longest + 'x'};
  CHECK_FALSE(suggest_name(longest, too_long).has_value());
}
