#include "engine/observers/explanation.h"

#include <doctest/doctest.h>

#include <string>

#include "engine/observers/events.h"
#include "tests/text.h"
#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::observers;
using namespace memcoord::test;

namespace {

/// A tick of policy "adaptive" with this snapshot.
Tick tick_of(const Snapshot& snapshot, MemorySize grantable = 1_GiB) {
  Tick tick;
  tick.number = 7;
  tick.policy = "adaptive";
  tick.snapshot = snapshot;
  tick.grantable = grantable;
  return tick;
}

std::string answer(const Tick& tick) {
  return explain(tick, tick.snapshot.domains.front(), nullptr).answer;
}

/// The kinds of the events that a tick adds.
std::string kinds(EventFinder& finder, const Tick& tick) {
  std::string text;
  for (const Event& event : finder.events_of(tick)) {
    text += std::string(to_text(event.kind)) + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("a domain with enough memory needs no reason") {
  CHECK(answer(tick_of(World().domain("web", actual(1_GiB), unused(400_MiB)))) ==
        "It has enough memory and keeps its size.");
}

TEST_CASE("the answer for a domain that is short says why it gets nothing") {
  const Snapshot world = World().domain("web", actual(1_GiB), unused(40_MiB));
  SUBCASE("the host has nothing") {
    CHECK(answer(tick_of(world, MemorySize())) ==
          "It is short by 60 MiB: the host has nothing to grant.");
  }
  SUBCASE("the policy proposes nothing") {
    CHECK(answer(tick_of(world)) ==
          "It is short by 60 MiB: policy adaptive proposes no grow; the host can grant 1 GiB.");
  }
  SUBCASE("the policy failed") {
    Tick tick = tick_of(world);
    tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, {}};
    CHECK(answer(tick) == "It is short by 60 MiB: policy adaptive failed.");
  }
  SUBCASE("the guard refuses") {
    Tick tick = tick_of(world);
    tick.decisions = {{id("web"),
                       1_GiB,
                       2_GiB,
                       1_GiB,
                       "runs short",
                       {{Rule::host_floor, 2_GiB, 1_GiB, "the host has nothing to give"}}}};
    CHECK(answer(tick) == "It is short by 60 MiB: the host has nothing to give.");
  }
  SUBCASE("it has its maximum") {
    CHECK(answer(tick_of(World().domain("web", actual(1_GiB), maximum(1_GiB), unused(40_MiB)))) ==
          "It is short by 60 MiB: at its maximum of 1 GiB.");
  }
  SUBCASE("it is skipped") {
    Tick tick = tick_of(world);
    tick.skipped = {{id("web"), Rule::fresh_stats, "its statistics are older than 4 s"}};
    CHECK(answer(tick) == "It is short by 60 MiB: skipped, its statistics are older than 4 s.");
  }
}

TEST_CASE("a move is explained from the proposal to the outcome") {
  const Tick tick = busy_tick();
  const Domain* db = tick.snapshot.find(id("db"));
  REQUIRE(db != nullptr);
  const Explanation explanation = explain(tick, *db, nullptr);
  CHECK(explanation.answer == "It shrinks by 400 MiB: halved to feed web.");
  CHECK(explanation.policy == "halving proposes 1 GiB (-1 GiB): halved to feed web");
  REQUIRE(explanation.guard.size() == 1);
  CHECK(explanation.guard.front() == "gradual: 1 GiB -> 1.61 GiB, takes too much");
  CHECK(explanation.outcome == "its balloon's target is 1.61 GiB");
  CHECK(explanation.next_move == "at the next tick");

  const Domain* web = tick.snapshot.find(id("web"));
  REQUIRE(web != nullptr);
  CHECK(explain(tick, *web, nullptr).answer ==
        "It is short by 50 MiB, and was to grow by 1 GiB; not moved to 1.5 GiB: failed: no "
        "answer.");
}

TEST_CASE("a guest that reads from its swap has a problem, whatever its headroom") {
  const Snapshot before = World().domain("web", unused(500_MiB), swapped(0_MiB, 0_MiB));
  const Tick now =
      tick_of(World().domain("web", unused(500_MiB), swapped(8_MiB, 0_MiB)), MemorySize());
  CHECK(problem_of(now, now.snapshot.domains.front(), &before.domains.front()) ==
        "swaps: the host has nothing to grant");
  CHECK(problem_of(now, now.snapshot.domains.front(), nullptr).empty());
}

TEST_CASE("a state that lasts makes an event when it begins and when it ends") {
  EventFinder finder;
  int second = 0;
  const auto next = [&](const Snapshot& snapshot) {
    Tick tick = tick_of(snapshot);
    tick.snapshot.taken_at = MonotonicTime(std::chrono::seconds(second += 4));
    return kinds(finder, tick);
  };
  CHECK(next(World().domain("web", unused(500_MiB))).empty());
  CHECK(next(World().domain("web", unused(50_MiB))) == "short ");
  CHECK(next(World().domain("web", unused(40_MiB))).empty());
  for (int i = 1; i < Episode::kEnoughTicks; ++i) {
    CHECK(next(World().domain("web", unused(200_MiB))).empty());
  }
  CHECK(next(World().domain("web", unused(200_MiB))) == "enough ");
  CHECK(next(World().domain("web", unused(200_MiB), numbered(2))) == "restarted ");
  CHECK(next(World()) == "stopped ");
  CHECK(finder.remembered() == 0);
}

TEST_CASE("a skipped domain makes one event, without the tick's note on it") {
  EventFinder finder;
  Tick tick = tick_of(World().domain("web", unused(500_MiB)));
  tick.skipped = {{id("web"), std::nullopt, "paused by root"}};
  tick.notes = {{Note::Severity::info, "web: skipped: paused by root"}};
  CHECK(kinds(finder, tick) == "skipped ");
  tick.notes.clear();
  CHECK(kinds(finder, tick).empty());
  tick.skipped.clear();
  CHECK(kinds(finder, tick) == "eligible ");
  tick.skipped = {{id("web"), Rule::fresh_stats, "no report since its last balloon move"}};
  CHECK(kinds(finder, tick).empty());
}

TEST_CASE("an explanation says what the fallback policy did while it decides") {
  Tick tick = tick_of(World().domain("web", actual(1_GiB)));
  const auto policy = [&] { return explain(tick, tick.snapshot.domains[0], nullptr).policy; };
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, {}};
  CHECK(policy() == "adaptive failed: a.lua:3: broke");
  tick.fallback = "halving";
  CHECK(policy() == "adaptive failed: a.lua:3: broke; fallback policy halving proposes no change");
  tick.decisions = {{id("web"), 1_GiB, 2_GiB, 2_GiB, "runs short", {}}};
  CHECK(policy() ==
        "adaptive failed: a.lua:3: broke; fallback policy halving proposes 2 GiB (+1 GiB): "
        "runs short");
}

TEST_CASE("an explanation of a domain that does not answer has no figures") {
  Tick tick = tick_of(World().domain("web"));
  tick.snapshot.domains[0].state = DomainState::hung;
  tick.snapshot.domains[0].guest = {};
  CHECK(explain(tick, tick.snapshot.domains[0], nullptr).figures ==
        std::vector<std::string>{"no figures: it does not answer"});
}

TEST_CASE("a time of another day has its date") {
  const WallTime now(std::chrono::hours(36));
  CHECK(brief_time_text(WallTime(std::chrono::hours(47)), now, false) == "23:00:00");
  CHECK(brief_time_text(WallTime(std::chrono::hours(60)), now, false) == "1970-01-03 12:00:00");
  CHECK(brief_time_text(WallTime(std::chrono::hours(23)), now, false) == "1970-01-01 23:00:00");
}

TEST_CASE("a dry run would move a domain") {
  Tick tick = tick_of(World().domain("web", actual(1_GiB), unused(40_MiB)));
  tick.dry_run = true;
  tick.decisions = {{id("web"), 1_GiB, 2_GiB, 2_GiB, "runs short", {}}};
  CHECK(answer(tick) == "It is short by 60 MiB, and would grow by 1 GiB (dry run): runs short.");
  tick.decisions[0].why = "is short of memory";
  CHECK(answer(tick) == "It is short by 60 MiB, and would grow by 1 GiB (dry run).");
}

TEST_CASE("a move of a dry run is an event of its own kind") {
  EventFinder finder;
  Tick tick = tick_of(World().domain("web", actual(1_GiB), unused(500_MiB)));
  tick.dry_run = true;
  tick.decisions = {{id("web"), 1_GiB, 768_MiB, 768_MiB, "others need it", {}}};
  tick.outcomes = {{id("web"), 1_GiB, 768_MiB, Outcome::Kind::dry_run, {}}};
  const auto events = finder.events_of(tick);
  REQUIRE(events.size() == 1);
  CHECK(to_text(events[0].kind) == "would move");
  CHECK(events[0].text == "1 GiB -> 768 MiB (-256 MiB): others need it");
}

TEST_CASE("an event that ends a skip says what the skip was") {
  EventFinder finder;
  Tick tick = tick_of(World().domain("web"));
  tick.skipped = {{id("web"), {}, "paused by root"}};
  static_cast<void>(finder.events_of(tick));
  tick.skipped.clear();
  CHECK(finder.events_of(tick).at(0).text == "no longer skipped (was: paused by root)");
}

TEST_CASE("an error that repeats is one event") {
  EventFinder finder;
  Tick tick = tick_of(World().domain("web"));
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, {}};
  CHECK(kinds(finder, tick) == "error ");
  CHECK(kinds(finder, tick).empty());
  tick.policy_error.reset();
  CHECK(kinds(finder, tick).empty());
}

TEST_CASE("an event without a sample has the time of the last sample") {
  EventFinder finder;
  const Tick tick = tick_of(World().domain("web"));
  finder.events_of(tick);
  Tick failed;
  failed.number = tick.number + 1;
  failed.sample_error = Error{ErrorCode::unavailable, "test:///", "is down", {}, {}};
  const auto events = finder.events_of(failed);
  REQUIRE(events.size() == 1);
  CHECK(events[0].time == tick.snapshot.wall_time);
}

TEST_CASE("a grow in steps is one move") {
  EventFinder finder;
  Tick tick = tick_of(World().domain("web", actual(1_GiB), unused(500_MiB)));
  tick.decisions = {{id("web"), 1_GiB, 2_GiB, 2_GiB, "fed by db", {}}};
  tick.outcomes = {{id("web"), 1_GiB, 1536_MiB, Outcome::Kind::applied, {}},
                   {id("web"), 1536_MiB, 2_GiB, Outcome::Kind::applied, {}}};
  const auto events = finder.events_of(tick);
  REQUIRE(events.size() == 1);
  CHECK(events[0].text == "1 GiB -> 2 GiB (+1 GiB): fed by db");
}
