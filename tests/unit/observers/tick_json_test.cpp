#include "engine/observers/tick_json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/observers/ticks.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

TEST_CASE("a tick survives being written and read, to the last field") {
  Tick tick = busy_tick();
  tick.sample_error = Error{ErrorCode::unavailable, "qemu:///system", "down", "wait", "detail"};
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, {}};
  tick.dry_run = true;
  tick.limits.host_memory = 4_GiB;
  tick.limits.headroom = Headroom::usable;
  const std::string line = to_json_line(tick);
  CHECK(line.find('\n') == std::string::npos);
  const auto read = tick_from_json_line(line, "j:1");
  REQUIRE(read.has_value());
  CHECK(to_json_line(*read) == line);
  CHECK(read->number == 7);
  CHECK(read->limits == tick.limits);
  CHECK(read->decisions == tick.decisions);
  CHECK(read->outcomes == tick.outcomes);
  CHECK(read->proposals == tick.proposals);
  CHECK(read->held == tick.held);
  CHECK(read->notes == tick.notes);
  CHECK(read->timings == tick.timings);
  CHECK(read->sample_error == tick.sample_error);
  CHECK(read->snapshot.host == tick.snapshot.host);
  CHECK(read->snapshot.taken_at == tick.snapshot.taken_at);
  CHECK(read->snapshot.wall_time == tick.snapshot.wall_time);
  REQUIRE(read->snapshot.domains.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const Domain& a = tick.snapshot.domains[i];
    const Domain& b = read->snapshot.domains[i];
    CHECK(*a.identity == *b.identity);
    CHECK(a.guest == b.guest);
    CHECK(a.state == b.state);
    CHECK(a.actual == b.actual);
    CHECK(a.rss == b.rss);
    CHECK(a.started_at == b.started_at);
    CHECK(a.id == b.id);
  }
}

TEST_CASE("any year is written and read, nanoseconds since 1970 or not") {
  Tick tick = busy_tick();
  for (const int year : {1, 1970, 2024, 4048, 9999}) {
    tick.snapshot.wall_time = std::chrono::sys_days{std::chrono::year{year} / 2 / 3};
    const auto read = tick_from_json_line(to_json_line(tick), "j:1");
    REQUIRE(read.has_value());
    CHECK(read->snapshot.wall_time == tick.snapshot.wall_time);
  }
}

TEST_CASE("a time that no calendar knows is refused, and named") {
  auto json = nlohmann::json::parse(to_json_line(busy_tick()));
  for (const char* time : {"9999-99-01T00:00:00.000Z", "-999-00-01T00:00:00.000Z",
                           "2024-02-30T00:00:00.000Z", "2024-02-03T25:00:00.000Z",
                           "2024-02-03T00:00:00.-10Z", "2024-02-03T00:00:00.000Z and more", ""}) {
    CAPTURE(time);
    json["time"] = time;
    const auto read = tick_from_json_line(json.dump(), "j:4");
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().text().find("'time' is no time") != std::string::npos);
  }
}

TEST_CASE("texts that are no UTF-8 are written all the same") {
  Tick tick = busy_tick();
  tick.notes = {{Note::Severity::info, "a\xff\x01z"}};
  CHECK(tick_from_json_line(to_json_line(tick), "j:1").has_value());
}

TEST_CASE("what is no tick is refused with its place and what is wrong") {
  const auto why = [](const std::string& line) { return tick_from_json_line(line, "j:9").error(); };
  CHECK(why("{").object == "j:9");
  CHECK(why("{").message.find("damaged: ") == 0);
  CHECK(why("{}").message == "not a line of a memcoord journal");
  CHECK(why("[]").code == ErrorCode::invalid_input);
  auto json = nlohmann::json::parse(to_json_line(busy_tick()));
  json["version"] = 2;
  CHECK(why(json.dump()).message == "journal version 2 is not known");
  json["version"] = 1;
  json["host"].erase("free_kib");
  CHECK(why(json.dump()).message.find("free_kib") != std::string::npos);
  json["host"]["free_kib"] = -5;
  CHECK(why(json.dump()).message.find("free_kib") != std::string::npos);
}
