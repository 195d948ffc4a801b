#include "engine/observers/events.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::observers;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// Feeds an EventFinder with a tick a second.
class EventFeed {
 public:
  /// The events of the next tick, as "kind: text".
  std::vector<std::string> next(const Snapshot& snapshot, std::vector<Decision> decisions = {}) {
    Tick tick;
    tick.number = ++number_;
    tick.policy = "adaptive";
    tick.grantable = 1_GiB;
    tick.snapshot = snapshot;
    tick.snapshot.taken_at = MonotonicTime(std::chrono::seconds(number_));
    tick.snapshot.wall_time = WallTime(std::chrono::seconds(1'000'000 + number_));
    for (Domain& domain : tick.snapshot.domains) {
      if (domain.guest.last_update) domain.guest.last_update = tick.snapshot.wall_time;
    }
    tick.decisions = std::move(decisions);
    std::vector<std::string> lines;
    for (const Event& event : finder_.events_of(tick)) {
      lines.push_back(std::string(to_text(event.kind)) + ": " + event.text);
    }
    return lines;
  }
  void begin_new_run() { number_ = 0; }

 private:
  EventFinder finder_;
  std::uint64_t number_ = 0;
};

using Lines = std::vector<std::string>;

Snapshot web(MemorySize left) {
  return World()
      .host(8_GiB, free(4_GiB))
      .domain("web", actual(2_GiB), guest_total(2_GiB), unused(left));
}

Decision refused_grow() {
  return {id("web"),    2_GiB,
          3_GiB,        2_GiB,
          "wants more", {{Rule::host_floor, 3_GiB, 2_GiB, "the host has nothing to grant"}}};
}

}  // namespace

TEST_CASE("a rule that goes on limiting a domain makes one event") {
  EventFeed feed;
  CHECK(feed.next(web(500_MiB), {refused_grow()}) ==
        Lines{"limited: host_floor: the host has nothing to grant"});
  for (int i = 0; i < 100; ++i) CHECK(feed.next(web(500_MiB), {refused_grow()}).empty());
  for (int i = 0; i < 60; ++i) CHECK(feed.next(web(500_MiB)).empty());
  CHECK(feed.next(web(500_MiB), {refused_grow()}).size() == 1);
}

TEST_CASE("a guest with nothing left that suddenly uses much less was likely killed") {
  EventFeed feed;
  SUBCASE("it had nothing left") {
    feed.next(web(20_MiB));
    CHECK(
        feed.next(web(1_GiB)) ==
        Lines{"killed?: what it uses fell from 1.98 GiB to 1 GiB when it had almost nothing left: "
              "its OOM killer may have ended a process"});
  }
  SUBCASE("it was only short") {
    feed.next(web(60_MiB));
    CHECK(feed.next(web(1_GiB)).empty());
  }
  SUBCASE("it still swapped out") {
    const auto swapping = [](MemorySize left, MemorySize out) {
      Snapshot snapshot = web(left);
      snapshot.domains[0].guest.swap_out = out;
      return snapshot;
    };
    feed.next(swapping(20_MiB, 100_MiB));
    feed.next(swapping(20_MiB, 200_MiB));
    CHECK(feed.next(swapping(1_GiB, 200_MiB)).empty());
  }
  SUBCASE("it uses a little less") {
    feed.next(web(20_MiB));
    CHECK(feed.next(web(200_MiB)).empty());
  }
}

TEST_CASE("domains that start, stop, crash and hang are events") {
  EventFeed feed;
  const auto with = [](DomainState is) -> Snapshot {
    return World().host(8_GiB, free(4_GiB)).domain("web", actual(2_GiB), unused(1_GiB), state(is));
  };
  CHECK(feed.next(World().host(8_GiB, free(4_GiB))).empty());
  CHECK(feed.next(with(DomainState::running)) == Lines{"started: runs on this host, with 2 GiB"});
  CHECK(feed.next(with(DomainState::crashed)) ==
        Lines{"crashed: its QEMU process or its guest crashed"});
  CHECK(feed.next(World().host(8_GiB, free(4_GiB))) ==
        Lines{"stopped: no longer runs on this host"});
}

TEST_CASE("a domain that stops while the host is under its floor may be a victim of the host") {
  EventFeed feed;
  feed.next(web(500_MiB));
  CHECK(feed.next(World().host(8_GiB, free(90_MiB))) ==
        Lines{"stopped: no longer runs on this host, which has only 90 MiB left"});
}

TEST_CASE("a skipped domain whose monitor does not answer hangs") {
  EventFinder finder;
  Tick tick;
  tick.snapshot = World().domain("web", state(DomainState::hung), no_report());
  tick.skipped = {{id("web"), Rule::running_only, "does not answer"}};
  const auto events = finder.events_of(tick);
  REQUIRE(events.size() == 1);
  CHECK(to_text(events[0].kind) == "hung");
}

TEST_CASE("a reboot shows in the guest's counters, and a new run in the ticks' numbers") {
  EventFeed feed;
  const auto faults = [](std::uint64_t count) {
    Snapshot snapshot = web(1_GiB);
    snapshot.domains[0].guest.major_faults = count;
    snapshot.domains[0].guest.minor_faults = 100 * count;
    return snapshot;
  };
  feed.next(faults(1000));
  CHECK(feed.next(faults(1001)).empty());
  CHECK(feed.next(faults(3)) == Lines{"restarted: its guest rebooted"});
  feed.begin_new_run();
  CHECK(feed.next(faults(4)) == Lines{"note: a new run of memcoord begins"});
}
