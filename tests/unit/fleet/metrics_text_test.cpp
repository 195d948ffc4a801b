#include "engine/fleet/metrics_text.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace memcoord;
using namespace memcoord::fleet;

TEST_CASE("metrics have names, labels with escapes, and values of every form") {
  const auto samples = parse_metrics(
      "# HELP a Text.\n\n"
      "a 1\r\n"
      "a_total{x=\"1\",y = \"two \\\"words\\\" \\\\ \\n\",} 1.5e+09 1700000000000\n"
      "  nan{} NaN\n"
      "inf +Inf\n"
      "less -3");
  REQUIRE(samples);
  REQUIRE(samples->size() == 5);
  CHECK(samples->at(0).name == "a");
  CHECK(samples->at(0).labels.empty());
  CHECK(samples->at(1).labels.at("x") == "1");
  CHECK(samples->at(1).labels.at("y") == "two \"words\" \\ \n");
  CHECK(samples->at(1).value == 1.5e9);
  CHECK(std::isnan(samples->at(2).value));
  CHECK(std::isinf(samples->at(3).value));
  CHECK(samples->at(4).value == -3);
}

TEST_CASE("a text that is no metrics is refused with its line") {
  for (const char* text : {"<html>", "a", "a{", "a{x}", "a{x=1} 1", "a{x=\"1} 1", "a{x=\"1\" 1",
                           "a{x=\"1\"y=\"2\"} 1", "a one", "a +", "{x=\"1\"} 1", "a 1x"}) {
    CAPTURE(text);
    const auto samples = parse_metrics(std::string("ok 1\n") + text);
    REQUIRE_FALSE(samples);
    CHECK(samples.error().text() == "line 2: is no metric");
  }
}
