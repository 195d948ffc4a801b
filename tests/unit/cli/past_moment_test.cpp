#include "engine/cli/past_moment.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <string>

using namespace memcoord;
using namespace memcoord::cli;
using namespace std::chrono_literals;

namespace {

/// Local time is that of this zone, for one test.
class Zone {
 public:
  explicit Zone(const char* name) {
    const char* before = std::getenv("TZ");
    if (before != nullptr) before_ = before;
    had_one_ = before != nullptr;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    had_one_ ? ::setenv("TZ", before_.c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::string before_;
  bool had_one_ = false;
};

constexpr WallTime kMidnight = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 31));

PastMoment moment(const char* text) {
  const auto found = parse_past_moment(text);
  CAPTURE(text);
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("a time of day is the last one before the newest moment") {
  const Zone zone("UTC");
  CHECK(moment("22:00").before(kMidnight + 9h) == kMidnight - 2h);
  CHECK(moment("22:00").before(kMidnight + 23h) == kMidnight + 22h);
  CHECK(moment("6:30:15").before(kMidnight + 9h) == kMidnight + 6h + 30min + 15s);
}

TEST_CASE("a time of day and a date are local, and a Z is UTC") {
  const Zone zone("XXX-2");
  CHECK(moment("22:00").before(kMidnight + 9h) == kMidnight - 4h);
  CHECK(moment("2026-01-31 22:00").before(kMidnight) == kMidnight + 20h);
  CHECK(moment("2026-01-31").before(kMidnight) == kMidnight - 2h);
  CHECK(moment("2026-01-31T22:00:05Z").before(kMidnight) == kMidnight + 22h + 5s);
}

TEST_CASE("a span counts back from the newest moment") {
  CHECK(moment("8h").before(kMidnight) == kMidnight - 8h);
  CHECK(moment("90").before(kMidnight) == kMidnight - 90s);
}

TEST_CASE("a text that is no moment is refused with the forms that there are") {
  for (const char* text : {"", "foo", "25:00", "22:60", "22:0", "22:", "1:2:3:4", "2026-13-01",
                           "2026-01-31 25:00", "2026-02-31", "2026-01-31x", "8x", "22:00Z"}) {
    CAPTURE(text);
    const auto found = parse_past_moment(text);
    REQUIRE_FALSE(found);
    CHECK(found.error().hint.find("22:00") != std::string::npos);
  }
  CHECK(parse_past_moment("-8h").error().message == "'-8h' is not more than zero");
}

TEST_CASE("a time of day before an end in the morning is of the evening before") {
  const Zone zone("UTC");
  const TimeSpan night = time_span(moment("22:00"), moment("06:00"), kMidnight + 23h).value();
  CHECK(night.since == kMidnight - 2h);
  CHECK(night.until == kMidnight + 6h);
  CHECK(night.has(kMidnight));
  CHECK_FALSE(night.has(kMidnight + 7h));
  CHECK(time_span({}, {}, kMidnight).value().has(kMidnight + 100h));
  CHECK(time_span(moment("1h"), moment("3h"), kMidnight).value().since == kMidnight - 4h);
  CHECK(time_span(moment("2026-01-02"), moment("2026-01-01"), kMidnight).error().message ==
        "is after --until");
}
