#include "engine/observers/shortage_episodes.h"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::observers;
using namespace memcoord::test;

namespace {

MonotonicTime at_second(int second) {
  return MonotonicTime(std::chrono::seconds(second));
}

/// The episode after ticks, one a second from `first` on: 's' short, '-' not short, '?' unknown.
Episode after(Episode episode, int first, const std::string& ticks) {
  for (const char c : ticks) {
    const auto is_short = c == '?' ? std::nullopt : std::optional(c == 's');
    episode = next_episode(episode, is_short, at_second(first++));
  }
  return episode;
}

/// What the finder says of a domain with this headroom at this second; empty for no change.
std::string change_in(ShortageFinder& finder, int second, const Snapshot& snapshot) {
  Tick tick;
  tick.policy = "adaptive";
  tick.snapshot = snapshot;
  tick.snapshot.taken_at = at_second(second);
  const auto changes = finder.changes_of(tick);
  return changes.empty() ? std::string() : changes.front().text;
}

}  // namespace

TEST_CASE("an episode begins with the first tick of a shortage") {
  CHECK(after({}, 1, "--").since == std::nullopt);
  CHECK(after({}, 1, "--ss").since == at_second(3));
}

TEST_CASE("an episode ends after five ticks and ten seconds without a shortage") {
  const Episode episode = after({}, 0, "s");
  CHECK(after(episode, 1, "----------").since == at_second(0));
  CHECK(after(episode, 1, "-----------") == Episode());
  // Ticks that are far apart.
  Episode slow = episode;
  for (int i = 1; i <= 4; ++i) slow = next_episode(slow, false, at_second(60 * i));
  CHECK(slow.since == at_second(0));
  CHECK(next_episode(slow, false, at_second(300)) == Episode());
}

TEST_CASE("a shortage that comes and goes is one episode") {
  Episode episode = after({}, 0, "s");
  for (int second = 1; second < 1000; second += 10) episode = after(episode, second, "---------s");
  CHECK(episode.since == at_second(0));
}

TEST_CASE("ticks that do not tell neither begin nor end an episode") {
  CHECK(after({}, 0, "????????????????") == Episode());
  CHECK(after(after({}, 0, "s"), 1, "????????????????").since == at_second(0));
}

TEST_CASE("a clock that goes back ends no episode") {
  const Episode episode = after(after({}, 1000, "s"), 5, "-");
  CHECK(episode.since == at_second(5));
  CHECK(after(episode, 6, "---").since == at_second(5));
}

TEST_CASE("a domain that flaps has one change for each episode") {
  ShortageFinder finder;
  int changes = 0;
  for (int second = 0; second < 600; ++second) {
    const auto headroom = second % 10 == 0 ? 20_MiB : 500_MiB;
    changes += change_in(finder, second, World().domain("web", unused(headroom))).empty() ? 0 : 1;
  }
  CHECK(changes == 1);
  CHECK(finder.short_since(id("web")) == at_second(0));
}

TEST_CASE("a domain that is paused or does not report has not got enough memory") {
  ShortageFinder finder;
  CHECK(change_in(finder, 0, World().domain("web", unused(20_MiB))) ==
        "short by 80 MiB: the host has nothing to grant");
  for (int second = 1; second < 60; ++second) {
    const Snapshot snapshot =
        second % 2 == 0 ? World().domain("web", unused(500_MiB), state(DomainState::paused))
                        : World().domain("web", no_report());
    CHECK(change_in(finder, second, snapshot).empty());
  }
  CHECK(finder.short_since(id("web")) == at_second(0));
}

TEST_CASE("a domain that goes away or starts again ends its episode silently") {
  ShortageFinder finder;
  CHECK_FALSE(change_in(finder, 0, World().domain("web", unused(20_MiB), numbered(1))).empty());
  CHECK(change_in(finder, 1, World().domain("web", unused(500_MiB), numbered(2))).empty());
  CHECK(finder.short_since(id("web")) == std::nullopt);
  CHECK(change_in(finder, 2, World()).empty());
  CHECK(finder.remembered() == 0);
}
