#include "engine/core/tick_rhythm.h"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

constexpr MonotonicTime kZero{};

Tick tick_that_wants(std::optional<Duration> again) {
  Tick tick;
  tick.again = again;
  return tick;
}

/// How long after each tick the next one is due, where no tick takes time.
std::vector<Duration> gaps(TickRhythm& rhythm, const std::vector<std::optional<Duration>>& wishes) {
  std::vector<Duration> result;
  for (const auto& wish : wishes) {
    const MonotonicTime now = rhythm.due();
    result.push_back(rhythm.next(tick_that_wants(wish), now, now).due - now);
  }
  return result;
}

/// A tick of a coordinator on these worlds, the last of which it samples.
Tick last_tick(CoordinatorHarness& harness, int ticks, Duration apart = 200ms) {
  Tick tick = harness.coordinator.tick();
  for (int i = 1; i < ticks; ++i) {
    harness.clock.sleep_for(apart);
    tick = harness.coordinator.tick();
  }
  return tick;
}

}  // namespace

TEST_CASE("an early tick comes when it is wanted, no sooner than the least time, and once") {
  TickRhythm rhythm(1s, 200ms, kZero);
  CHECK(gaps(rhythm, {std::nullopt, 500ms, std::nullopt, 10ms, 0ms, 3s}) ==
        std::vector<Duration>{1s, 500ms, 1s, 200ms, 200ms, 1s});
}

TEST_CASE("a least time of 0, or of the interval and more, turns early ticks off") {
  for (const Duration least : {Duration(0), Duration(1s), Duration(5s)}) {
    TickRhythm rhythm(1s, least, kZero);
    CHECK(gaps(rhythm, {10ms, 10ms}) == std::vector<Duration>{1s, 1s});
  }
}

TEST_CASE("after a long tick an early one comes at once, and skips none") {
  TickRhythm rhythm(1s, 200ms, kZero);
  const TickRhythm::Next next = rhythm.next(tick_that_wants(0ms), kZero, kZero + 700ms);
  CHECK(next.due == kZero + 700ms);
  CHECK(next.early);
  CHECK(next.skipped == 0);
  const TickRhythm::Next late = rhythm.next(tick_that_wants(0ms), next.due, next.due + 2500ms);
  CHECK_FALSE(late.early);
  CHECK(late.due == kZero + 3700ms);
  CHECK(late.skipped == 2);
}

TEST_CASE("sampling and deciding take a tenth of the time between early ticks at most") {
  TickRhythm rhythm(1s, 200ms, kZero);
  Tick tick = tick_that_wants(0ms);
  tick.timings = {.sample = 20ms, .decide = 9ms, .review = 1ms, .apply = 400ms};
  CHECK(rhythm.next(tick, kZero, kZero + 10ms).due == kZero + 300ms);
  tick.timings.sample = 100ms;
  tick.waited = 80ms;
  CHECK(TickRhythm(1s, 200ms, kZero).next(tick, kZero, kZero + 110ms).due == kZero + 300ms);
  tick.waited = 10ms;
  CHECK(rhythm.next(tick, kZero + 300ms, kZero + 400ms).due == kZero + 1300ms);
}

TEST_CASE("early ticks for ever use up their budget, which is said once") {
  TickRhythm rhythm(1s, 200ms, kZero);
  int ends = 0;
  int early_in_an_hour = 0;
  while (rhythm.due() < kZero + 1h) {
    const MonotonicTime now = rhythm.due();
    const TickRhythm::Next next = rhythm.next(tick_that_wants(0ms), now, now);
    ends += next.budget_ends ? 1 : 0;
    early_in_an_hour += next.early ? 1 : 0;
  }
  CHECK(ends == 1);
  CHECK(early_in_an_hour >= 3600);
  CHECK(early_in_an_hour <= 3600 + 300);
}

TEST_CASE("without a budget, an early tick still comes once a second at a longer interval") {
  TickRhythm rhythm(10s, 200ms, kZero);
  TickRhythm::Next next;
  for (int i = 0; i < 1000; ++i) {
    const MonotonicTime now = rhythm.due();
    next = rhythm.next(tick_that_wants(0ms), now, now);
    CHECK(next.early);
    CHECK(next.due - now <= 1s);
  }
  const MonotonicTime now = rhythm.due();
  CHECK(rhythm.next(tick_that_wants(0ms), now, now).due == now + 1s);
}

TEST_CASE("a budget that has filled up again is used up again") {
  TickRhythm rhythm(1s, 200ms, kZero);
  int ends = 0;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; ++i) {
      const MonotonicTime now = rhythm.due();
      ends += rhythm.next(tick_that_wants(0ms), now, now).budget_ends ? 1 : 0;
    }
    for (int i = 0; i < 301; ++i) {
      const MonotonicTime now = rhythm.due();
      rhythm.next(tick_that_wants(std::nullopt), now, now);
    }
  }
  CHECK(ends == 2);
}

TEST_CASE("the engine wants an early tick while the balloon of a domain that is short grows") {
  const World small = World().host(8_GiB, free(4_GiB)).domain("a", unused(60_MiB));
  CoordinatorHarness harness({small}, asks({{"a", 2_GiB}}));
  harness.hypervisor.ignoring = {id("a")};
  CHECK(harness.coordinator.tick().again == Duration());
  // Its guest does not follow.
  harness.clock.sleep_for(3s);
  CHECK(last_tick(harness, 1).again == Duration());
}

TEST_CASE("the engine wants no early tick for a domain that has enough, or in a dry run") {
  const World calm = World().host(8_GiB, free(4_GiB)).domain("a", unused(160_MiB));
  CoordinatorHarness enough({calm}, asks({{"a", 2_GiB}}));
  CHECK_FALSE(enough.coordinator.tick().again);
  const World small = World().host(8_GiB, free(4_GiB)).domain("a", unused(60_MiB));
  CoordinatorOptions options;
  options.dry_run = true;
  CoordinatorHarness dry({small}, asks({{"a", 2_GiB}}), options);
  CHECK_FALSE(dry.coordinator.tick().again);
}
