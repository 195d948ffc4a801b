#include "engine/control/run_history.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::control;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// A tick of a world, this long after the run began. The wall clock shows the same, later by
/// `wall_jump`.
Tick tick_at(Duration since_start, const World& world, Duration wall_jump = {}) {
  Tick tick;
  tick.snapshot = world;
  tick.snapshot.taken_at = MonotonicTime(1h) + since_start;
  tick.snapshot.wall_time =
      WallTime(24h) + std::chrono::duration_cast<WallTime::duration>(since_start + wall_jump);
  return tick;
}

World web(MemorySize size, MemorySize left) {
  return World().host(8_GiB, free(2_GiB)).domain("web", actual(size), unused(left), rss(size));
}

RunHistory::DomainCurves curves_of(const RunHistory& history, const std::string& name) {
  return history.of(id(name), history.points()).value();
}

float kib(MemorySize size) {
  return static_cast<float>(size.kib());
}

World many(int domains) {
  World world;
  world.host(1024_GiB, free(8_GiB));
  for (int i = 0; i < domains; ++i) world.domain("guest" + std::to_string(i));
  return world;
}

/// An hour and more of a host on which every domain is moved in every tick.
std::size_t memory_of_an_hour(int domains) {
  RunHistory history;
  Tick tick = tick_at(0s, many(domains));
  for (int i = 0; i < 150; ++i) {
    tick.snapshot.taken_at += 30s;
    tick.snapshot.wall_time += 30s;
    tick.outcomes.clear();
    for (Domain& domain : tick.snapshot.domains) {
      domain.maximum = domain.actual * static_cast<std::uint64_t>(2 + i);
      tick.outcomes.push_back({domain.uuid(), 1_GiB, 2_GiB, Outcome::Kind::applied, {}});
    }
    history.observe(tick);
  }
  CHECK(history.points().times.size() == RunHistory::kPoints);
  CHECK(curves_of(history, "guest0").moves.size() == RunHistory::kMoves);
  return history.memory();
}

}  // namespace

TEST_CASE("a run has no history before its first tick") {
  const RunHistory history;
  CHECK(history.points().times.empty());
  CHECK_FALSE(history.of(id("web"), history.points()));
}

TEST_CASE("a point stands for 30 s, and the last for the newest tick") {
  RunHistory history;
  for (int second = 0; second <= 61; ++second) {
    history.observe(tick_at(std::chrono::seconds(second), web(1_GiB, 300_MiB)));
  }
  const auto points = history.points();
  CHECK(points.times == std::vector{WallTime(24h + 29s), WallTime(24h + 59s), WallTime(24h + 61s)});
  CHECK(curves_of(history, "web").actual == std::vector(3, kib(1_GiB)));
}

TEST_CASE("a point of a domain keeps its tightest moment, with all figures of that tick") {
  RunHistory history;
  history.observe(tick_at(0s, web(1_GiB, 300_MiB)));
  history.observe(tick_at(1s, web(2_GiB, 20_MiB)));
  history.observe(tick_at(2s, web(3_GiB, 400_MiB)));
  CHECK(curves_of(history, "web").actual == std::vector{kib(3_GiB)});
  history.observe(tick_at(30s, web(4_GiB, 400_MiB)));
  const auto curves = curves_of(history, "web");
  CHECK(curves.actual == std::vector{kib(2_GiB), kib(4_GiB)});
  CHECK(curves.used == std::vector{kib(2_GiB - 20_MiB), kib(4_GiB - 400_MiB)});
  CHECK(curves.rss == std::vector{kib(2_GiB), kib(4_GiB)});
  CHECK(curves.maximum == std::vector{kib(64_GiB), kib(64_GiB)});
}

TEST_CASE("a tick without a guest's report counts only where a point has no other") {
  RunHistory history;
  Tick silent = tick_at(0s, web(1_GiB, 10_MiB));
  silent.not_reporting = {id("web")};
  history.observe(silent);
  CHECK(std::isnan(curves_of(history, "web").used.at(0)));
  CHECK(curves_of(history, "web").actual.at(0) == kib(1_GiB));
  history.observe(tick_at(1s, web(2_GiB, 300_MiB)));
  silent.snapshot.taken_at += 2s;
  history.observe(silent);
  CHECK(std::isnan(curves_of(history, "web").used.at(0)));
  history.observe(tick_at(30s, web(1_GiB, 100_MiB)));
  CHECK(curves_of(history, "web").used.at(0) == kib(2_GiB - 300_MiB));
}

TEST_CASE("a point of the host keeps the tick with the least to grant") {
  RunHistory history;
  const auto observe = [&](Duration at, MemorySize left, MemorySize grantable,
                           MemorySize shortfall) {
    Tick tick = tick_at(at, World().host(8_GiB, free(left)));
    tick.grantable = grantable;
    tick.account.shortfall = shortfall;
    history.observe(tick);
  };
  observe(0s, 3_GiB, 2_GiB, {});
  observe(1s, 2_GiB, {}, 100_MiB);
  observe(2s, 1_GiB, {}, 500_MiB);
  observe(3s, 4_GiB, 3_GiB, {});
  CHECK(history.points().host.at(0).used == kib(4_GiB));
  observe(30s, 4_GiB, 3_GiB, {});
  const auto point = history.points().host.at(0);
  CHECK(point.used == kib(7_GiB));
  CHECK(point.used + point.backed + point.unbacked + point.grantable + point.floor +
            point.reserved ==
        kib(8_GiB));
}

TEST_CASE("a history is an hour long, however far apart its ticks are") {
  RunHistory history;
  for (int minute = 0; minute <= 100; minute += 10) {
    history.observe(tick_at(std::chrono::minutes(minute), web(1_GiB, 300_MiB)));
  }
  CHECK(history.points().times.size() == 7);
  CHECK(history.points().times.front() == WallTime(24h + 40min));
  history.observe(tick_at(24h, web(1_GiB, 300_MiB)));
  CHECK(history.points().times.size() == 1);
  CHECK(curves_of(history, "web").actual.size() == 1);
}

TEST_CASE("a wall clock that is set moves all points along") {
  RunHistory history;
  history.observe(tick_at(0s, web(1_GiB, 300_MiB)));
  history.observe(tick_at(40s, web(1_GiB, 300_MiB), -1h));
  CHECK(history.points().times == std::vector{WallTime(23h), WallTime(23h + 40s)});
}

TEST_CASE("a domain that is gone is dropped, and comes back without its past") {
  RunHistory history;
  history.observe(tick_at(0s, web(1_GiB, 300_MiB)));
  const std::size_t with_web = history.memory();
  history.observe(tick_at(40s, World().domain("db")));
  CHECK(history.memory() == with_web);
  CHECK_FALSE(history.of(id("web"), history.points()));
  history.observe(tick_at(80s, web(1_GiB, 300_MiB)));
  const auto curves = curves_of(history, "web");
  REQUIRE(curves.actual.size() == 3);
  CHECK(std::isnan(curves.actual[1]));
  CHECK(std::isnan(curves.maximum[1]));
  CHECK(curves.actual[2] == kib(1_GiB));
}

TEST_CASE("points that were dropped while a reader works are not known") {
  RunHistory history;
  history.observe(tick_at(0s, web(1_GiB, 300_MiB)));
  const auto points = history.points();
  for (int i = 1; i <= 120; ++i) history.observe(tick_at(i * 30s, web(2_GiB, 300_MiB)));
  CHECK(std::isnan(history.of(id("web"), points).value().actual.at(0)));
}

TEST_CASE("a change of the maximum counts from its point on") {
  RunHistory history;
  Tick tick = tick_at(0s, web(1_GiB, 300_MiB));
  history.observe(tick);
  tick.snapshot.taken_at += 30s;
  tick.snapshot.domains[0].maximum = 8_GiB;
  history.observe(tick);
  CHECK(curves_of(history, "web").maximum == std::vector{kib(64_GiB), kib(8_GiB)});
}

TEST_CASE("a move in steps is one move, and the newest moves are kept") {
  RunHistory history;
  Tick tick = tick_at(0s, web(1_GiB, 300_MiB));
  tick.outcomes = {{id("web"), 1_GiB, 2_GiB, Outcome::Kind::applied, {}},
                   {id("web"), 2_GiB, 3_GiB, Outcome::Kind::applied, {}},
                   {id("web"), 3_GiB, 4_GiB, Outcome::Kind::failed, {}},
                   {id("gone"), 3_GiB, 4_GiB, Outcome::Kind::applied, {}}};
  history.observe(tick);
  const auto moves = curves_of(history, "web").moves;
  REQUIRE(moves.size() == 1);
  CHECK(moves[0].from == kib(1_GiB));
  CHECK(moves[0].to == kib(3_GiB));
  CHECK(moves[0].time == tick.snapshot.wall_time);
  for (int i = 0; i < 20; ++i) {
    tick.snapshot.taken_at += 1s;
    tick.snapshot.wall_time += 1s;
    history.observe(tick);
  }
  CHECK(curves_of(history, "web").moves.size() == RunHistory::kMoves);
  CHECK(curves_of(history, "web").moves.back().time == tick.snapshot.wall_time);
}

TEST_CASE("a move of a dry run is kept as one that was not made") {
  RunHistory history;
  Tick tick = tick_at(0s, web(1_GiB, 300_MiB));
  tick.outcomes = {{id("web"), 1_GiB, 900_MiB, Outcome::Kind::dry_run, {}}};
  history.observe(tick);
  tick = tick_at(1s, web(1_GiB, 300_MiB));
  tick.outcomes = {{id("web"), 1_GiB, 900_MiB, Outcome::Kind::applied, {}}};
  history.observe(tick);
  const auto moves = curves_of(history, "web").moves;
  REQUIRE(moves.size() == 2);
  CHECK(moves[0].dry_run);
  CHECK_FALSE(moves[1].dry_run);
}

TEST_CASE("a failed sample and a restoration add no point") {
  RunHistory history;
  Tick failed;
  failed.sample_error = Error{ErrorCode::unavailable, "test:///", "is down", {}, {}};
  history.observe(failed);
  Tick restoring = tick_at(0s, web(1_GiB, 300_MiB));
  restoring.restoring = true;
  history.observe(restoring);
  CHECK(history.points().times.empty());
}

TEST_CASE("the history of 400 domains takes less than 1 MiB, and of 1,000 less than 2 MiB") {
  CHECK(memory_of_an_hour(400) < (std::size_t{1} << 20U));
  CHECK(memory_of_an_hour(1000) < (std::size_t{2} << 20U));
}
