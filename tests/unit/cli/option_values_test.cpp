#include "engine/cli/option_values.h"

#include <doctest/doctest.h>

#include <string>

using namespace memcoord;
using namespace memcoord::cli;
using namespace std::chrono_literals;

TEST_CASE("a time is seconds, or a number with its unit") {
  CHECK(parse_duration("2").value() == 2s);
  CHECK(parse_duration("0.5").value() == 500ms);
  CHECK(parse_duration("500ms").value() == 500ms);
  CHECK(parse_duration("2s").value() == 2s);
  CHECK(parse_duration("1m").value() == 1min);
  CHECK(parse_duration("1.5min").value() == 90s);
  CHECK(parse_duration("24h").value() == 24h);
}

TEST_CASE("a time that is none, or not more than zero, is refused with what was expected") {
  for (const char* text : {"", "fast", "2 s", "s", "2x", "nan", "inf", "1e999", "0x10", "2s2"}) {
    CAPTURE(text);
    const auto refused = parse_duration(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message == "'" + std::string(text) + "' is not a time");
    CHECK(refused.error().hint.find("500ms") != std::string::npos);
  }
  CHECK(parse_duration("0").error().message == "'0' is not more than zero");
  CHECK(parse_duration("-2").error().message == "'-2' is not more than zero");
  CHECK(parse_duration("0.0001").error().message == "'0.0001' is too short");
  CHECK(parse_duration("25h").error().message == "'25h' is too long");
}

TEST_CASE("a share is a percentage or a fraction, more than zero and at most the whole") {
  CHECK(parse_share("50%").value() == doctest::Approx(0.5));
  CHECK(parse_share("0.25").value() == doctest::Approx(0.25));
  CHECK(parse_share("100%").value() == doctest::Approx(1.0));
  for (const char* text : {"0", "0%", "-0.5", "1.5", "150%"}) {
    CAPTURE(text);
    CHECK(parse_share(text).error().message ==
          "'" + std::string(text) + "' is not between 0 and 100 %");
  }
  for (const char* text : {"", "half", "50 %", "50%%", "nan"}) {
    CAPTURE(text);
    CHECK(parse_share(text).error().message == "'" + std::string(text) + "' is not a share");
  }
}

TEST_CASE("a whole number is refused past its bounds and where it is none") {
  CHECK(parse_whole_number("7", {1, 9}).value() == 7);
  CHECK(parse_whole_number("0", {1, 9}).error().message == "'0' is too small");
  CHECK(parse_whole_number("10", {1, 9}).error().message == "'10' is too large");
  CHECK(parse_whole_number("99999999999999999999", {1, 9}).error().message ==
        "'99999999999999999999' is too large");
  for (const char* text : {"", "x", "1.5", "1e3", " 1", "1 "}) {
    CAPTURE(text);
    CHECK(parse_whole_number(text, {1, 9}).error().message ==
          "'" + std::string(text) + "' is not a whole number");
  }
}

TEST_CASE("a weight is a number over zero") {
  CHECK(parse_weight("1.5").value() == doctest::Approx(1.5));
  for (const char* text : {"0", "-1", "heavy", "nan", "inf", ""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_weight(text));
  }
}

TEST_CASE("a size of zero is no size") {
  CHECK(parse_size("512MiB").value() == MemorySize::from_mib(512));
  CHECK(parse_size("0").error().message == "'0' is zero");
}

TEST_CASE("an assignment is split at its first equals sign") {
  const auto assignment = parse_assignment("greeting=a=b").value();
  CHECK(assignment.first == "greeting");
  CHECK(assignment.second == "a=b");
  CHECK(parse_assignment("empty=").value().second.empty());
  CHECK(parse_assignment("nothing").error().message == "'nothing' is not name=value");
  CHECK_FALSE(parse_assignment("=x"));
}

TEST_CASE("a very long value is cut in the message") {
  CHECK(parse_duration(std::string(100000, 'x')).error().message.size() < 100);
}
