#include "engine/observers/domain_story.h"

#include <doctest/doctest.h>

#include "engine/observers/tick_timeline.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::observers;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

Tick story_tick(int second, MemorySize size, MemorySize left) {
  Tick tick;
  tick.number = static_cast<std::uint64_t>(second) + 1;
  tick.snapshot =
      World().host(8_GiB, free(4_GiB)).domain("web", actual(size), unused(left), maximum(4_GiB));
  tick.snapshot.taken_at = MonotonicTime(std::chrono::seconds(second));
  tick.snapshot.wall_time = WallTime(std::chrono::seconds(1'000'000 + second));
  return tick;
}

}  // namespace

TEST_CASE("a story has how long a domain was short, its moves and its sizes") {
  StoryTeller teller;
  EventFinder finder;
  const auto take = [&](const Tick& tick, Duration passed) {
    teller.take(tick, finder.events_of(tick), passed);
  };
  take(story_tick(0, 1_GiB, 500_MiB), 0s);
  for (int second = 1; second <= 30; ++second) take(story_tick(second, 1_GiB, 50_MiB), 1s);
  Tick grow = story_tick(31, 1_GiB, 50_MiB);
  grow.decisions = {{id("web"),
                     1_GiB,
                     3_GiB,
                     2_GiB,
                     "short",
                     {{Rule::share_out, 3_GiB, 2_GiB, "others need it"}}}};
  grow.outcomes = {{id("web"), 1_GiB, 2_GiB, Outcome::Kind::applied, {}}};
  take(grow, 1s);
  for (int second = 32; second <= 50; ++second) take(story_tick(second, 2_GiB, 1_GiB), 1s);
  const std::vector<DomainStory> stories = teller.finish();
  REQUIRE(stories.size() == 1);
  const DomainStory& web = stories[0];
  CHECK(web.observed == 50s);
  CHECK(web.short_of_memory == 31s);
  CHECK(web.shortages == 1);
  CHECK(web.longest_shortage == 31s);
  CHECK(web.longest_since == WallTime(1'000'001s));
  CHECK(web.moves == 1);
  CHECK(web.moved == 1_GiB);
  CHECK(web.limits == 1);
  CHECK(web.smallest == 1_GiB);
  CHECK(web.largest == 2_GiB);
  CHECK(story_text(web, Units::automatic) ==
        "short for 31 s, in 1 shortage; moved 1 time; 1 GiB to 2 GiB");
}

TEST_CASE("a story says of a dry run that the domain would have been moved") {
  DomainStory story;
  story.moves = 2;
  CHECK(story_text(story, Units::automatic) == "never short of memory; moved 2 times; 0 KiB");
  story.planned_moves = 1;
  CHECK(story_text(story, Units::automatic) == "never short of memory; moved 2 times; 0 KiB");
  story.planned_moves = 2;
  CHECK(story_text(story, Units::automatic) ==
        "never short of memory; would have been moved 2 times; 0 KiB");
}

TEST_CASE("the longest shortage counts the time in which the domain was short, as the sum does") {
  StoryTeller teller;
  EventFinder finder;
  // Short for two seconds of every four: one episode, as the time in between is too brief.
  for (int second = 0; second <= 40; ++second) {
    const Tick tick = story_tick(second, 1_GiB, second % 4 < 2 ? 50_MiB : 500_MiB);
    teller.take(tick, finder.events_of(tick), second == 0 ? 0s : 1s);
  }
  const DomainStory web = teller.finish().at(0);
  CHECK(web.shortages == 1);
  CHECK(web.short_of_memory == 20s);
  CHECK(web.longest_shortage == 20s);
}

TEST_CASE("a guest that starts again begins a new shortage, and the longest one stays") {
  StoryTeller teller;
  EventFinder finder;
  for (int second = 0; second <= 30; ++second) {
    Tick tick = story_tick(second, 1_GiB, 50_MiB);
    tick.snapshot.domains[0].id = second <= 20 ? 1 : 2;
    teller.take(tick, finder.events_of(tick), second == 0 ? 0s : 1s);
  }
  const DomainStory web = teller.finish().at(0);
  CHECK(web.short_of_memory == 30s);
  CHECK(web.longest_shortage == 20s);
  CHECK(web.longest_since == WallTime(1'000'000s));
}

TEST_CASE("a shortage that has not ended lasts until the newest tick") {
  StoryTeller teller;
  EventFinder finder;
  for (int second = 0; second <= 20; ++second) {
    const Tick tick = story_tick(second, 1_GiB, 50_MiB);
    teller.take(tick, finder.events_of(tick), second == 0 ? 0s : 1s);
  }
  CHECK(teller.finish().at(0).longest_shortage == 20s);
}

TEST_CASE("a timeline stays at the usual interval and finds gaps") {
  TickTimeline timeline;
  const auto step = [&](std::uint64_t number, int second) {
    Tick tick = story_tick(second, 1_GiB, 1_GiB);
    tick.number = number;
    return timeline.next(tick);
  };
  CHECK(step(1, 0).at == 0s);
  CHECK(step(2, 60).passed == 60s);
  CHECK(step(3, 120).passed == 60s);
  // Two missed ticks are none.
  CHECK_FALSE(step(4, 300).gap);
  const TickTimeline::Step late = step(5, 3000);
  CHECK(late.gap);
  CHECK(late.gap_lasted == 2700s);
  CHECK(late.passed == 0s);
  CHECK(late.at == 3000s);
  // A new run after a minute: the time between them was not recorded.
  CHECK(step(1, 4200).gap);
}
