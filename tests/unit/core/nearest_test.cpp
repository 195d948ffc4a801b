#include "engine/core/nearest.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace memcoord;

TEST_CASE("a misspelt name finds the one that was meant") {
  const std::vector<std::string> names{"unused", "usable", "actual", "headroom"};
  CHECK(nearest_name("unusd", names) == "unused");
  CHECK(nearest_name("Actual", names) == "actual");
  CHECK(nearest_name("haedroom", names) == "headroom");
  CHECK_FALSE(nearest_name("priority", names).has_value());
}

TEST_CASE("swapping neighbours is one edit") {
  CHECK(edit_distance("abcd", "abdc") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("same", "same") == 0);
}

TEST_CASE("the work for a message is bounded") {
  std::vector<std::string> names(kMostLikelyNames, "unused");
  CHECK(nearest_name("unusd", names) == "unused");
  names.emplace_back("unused");
  CHECK_FALSE(nearest_name("unusd", names).has_value());
  const std::string longest(kLongestLikelyName, 'x');
  const std::vector<std::string> one{longest};
  CHECK(nearest_name(longest.substr(1), one) == longest);
  CHECK_FALSE(nearest_name(longest + 'x', one).has_value());
  const std::vector<std::string> too_long{longest + 'x'};
  CHECK_FALSE(nearest_name(longest, too_long).has_value());
}
