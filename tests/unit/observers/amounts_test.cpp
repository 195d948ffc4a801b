#include "engine/observers/amounts.h"

#include <doctest/doctest.h>

#include <chrono>

using namespace memcoord::observers;

TEST_CASE("durations have their two largest units") {
  CHECK(duration_text(std::chrono::seconds(0)) == "0 s");
  CHECK(duration_text(std::chrono::seconds(119)) == "119 s");
  CHECK(duration_text(std::chrono::seconds(120)) == "2 min");
  CHECK(duration_text(std::chrono::seconds(150)) == "2 min 30 s");
  CHECK(duration_text(std::chrono::minutes(59)) == "59 min");
  CHECK(duration_text(std::chrono::minutes(125)) == "2 h 5 min");
  CHECK(duration_text(std::chrono::minutes(120)) == "2 h");
  CHECK(duration_text(std::chrono::hours(100)) == "4 d 4 h");
  CHECK(duration_text(std::chrono::hours(24) * 999 + std::chrono::minutes(5)) == "999 d");
  CHECK(set_time_text(std::chrono::milliseconds(500)) == "0.5 s");
  CHECK(set_time_text(std::chrono::minutes(10)) == "10 min");
}

TEST_CASE("a count names one thing in the singular") {
  CHECK(counted(0, "domain") == "0 domains");
  CHECK(counted(1, "domain") == "1 domain");
  CHECK(counted(2, "policy error") == "2 policy errors");
}
