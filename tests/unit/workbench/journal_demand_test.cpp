#include "engine/workbench/journal_demand.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// Ticks of a run, a second apart unless a test says otherwise.
class TickMaker {
 public:
  Tick next(World world, Duration later = 1s) {
    const bool first = number_ == 0;
    if (!first) at_ += later;
    Tick tick;
    tick.number = ++number_;
    tick.snapshot = world.at(at_);
    tick.snapshot.wall_time += clock_is_ahead;
    return tick;
  }
  /// memcoord starts again, this long after its last tick.
  void begin_run(Duration later) {
    number_ = 0;
    at_ += later;
  }
  std::chrono::milliseconds clock_is_ahead{};

 private:
  std::uint64_t number_ = 0;
  Duration at_{};
};

World host_with(MemorySize used, const std::string& name = "a") {
  return World()
      .host(8_GiB, free(6_GiB))
      .domain(name, actual(1_GiB), maximum(2_GiB), unused(1_GiB - used), usable(1_GiB - used),
              rss(1_GiB));
}

std::string all_of(const std::vector<std::string>& notes) {
  std::string text;
  for (const std::string& note : notes) text += note + "\n";
  return text;
}

bool has_note(const Recording& recording, const std::string& part) {
  return all_of(recording.notes).find(part) != std::string::npos;
}

Recording recording_from(const std::vector<Tick>& ticks,
                         std::optional<std::chrono::seconds> step = {}) {
  DemandRecorder recorder(step);
  for (const Tick& tick : ticks) {
    const Status taken = recorder.take(tick);
    REQUIRE_MESSAGE(taken.has_value(), taken.error().text());
  }
  auto result = recorder.finish();
  if (!result) FAIL(result.error().text());
  return *std::move(result);
}

std::string why_none(const std::vector<Tick>& ticks) {
  DemandRecorder recorder;
  for (const Tick& tick : ticks) {
    if (const Status taken = recorder.take(tick); !taken) return taken.error().text();
  }
  const auto result = recorder.finish();
  REQUIRE_FALSE(result.has_value());
  return result.error().text();
}

}  // namespace

TEST_CASE("a row of recorded demand has the largest use in its time") {
  TickMaker run;
  const auto recording =
      recording_from({run.next(host_with(300_MiB)), run.next(host_with(500_MiB)),
                      run.next(host_with(400_MiB)), run.next(host_with(200_MiB), 8s)},
                     10s);
  CHECK(recording.trace.times == std::vector{0s, 10s});
  REQUIRE(recording.trace.columns.size() == 1);
  CHECK(recording.trace.columns[0].used == std::vector{500_MiB, 200_MiB});
  CHECK(recording.trace.columns[0].provisioned == 2_GiB);
  CHECK(recording.trace.is_resident());
  CHECK(recording.notes.empty());
}

TEST_CASE("a recording of more than ten hours has a row every ten seconds") {
  TickMaker run;
  DemandRecorder recorder;
  for (int i = 0; i < 36'005; ++i) {
    REQUIRE(recorder.take(run.next(host_with(i == 17 ? 700_MiB : 300_MiB))).has_value());
  }
  const auto recording = recorder.finish();
  REQUIRE(recording.has_value());
  CHECK(recording->trace.times.size() == 3601);
  CHECK(recording->trace.times[2] == 20s);
  CHECK(recording->trace.columns[0].used[0] == 300_MiB);
  CHECK(recording->trace.columns[0].used[1] == 700_MiB);
  CHECK(recording->trace.columns[0].used.size() == 3601);
  CHECK(recording->host.own_use.size() == 3601);
}

TEST_CASE("what a guest has swapped out belongs to its need until it swaps it in again") {
  TickMaker run;
  const auto with_swap = [](MemorySize in, MemorySize out) {
    return World().host(8_GiB).domain("a", actual(1_GiB), maximum(2_GiB), usable(0_MiB),
                                      unused(0_MiB), swapped(in, out));
  };
  const auto recording =
      recording_from({run.next(with_swap(0_MiB, 100_MiB)), run.next(with_swap(0_MiB, 300_MiB)),
                      run.next(with_swap(150_MiB, 300_MiB))});
  const auto& used = recording.trace.columns[0].used;
  CHECK(used[0] == 1_GiB);
  CHECK(used[1] == 1_GiB + 200_MiB + 1_MiB);
  CHECK(used[2] == 1_GiB + 50_MiB + 1_MiB);
}

TEST_CASE("a guest that frees memory frees swapped memory in the same proportion") {
  TickMaker run;
  const auto swapping = [](MemorySize used, MemorySize out) {
    return World().host(8_GiB).domain("a", actual(1_GiB), maximum(2_GiB), usable(1_GiB - used),
                                      unused(1_GiB - used), swapped(0_MiB, out));
  };
  const auto recording =
      recording_from({run.next(swapping(1_GiB, 0_MiB)), run.next(swapping(1_GiB, 400_MiB)),
                      run.next(swapping(256_MiB, 400_MiB))});
  CHECK(recording.trace.columns[0].used[2] < 256_MiB + 102_MiB);
  CHECK(recording.trace.columns[0].used[2] > 256_MiB + 99_MiB);
}

TEST_CASE("a guest that swapped both ways until it freed memory frees swapped memory as well") {
  TickMaker run;
  const auto swapping = [](MemorySize used, MemorySize in, MemorySize out) {
    return World().host(8_GiB).domain("a", actual(1_GiB), maximum(2_GiB), usable(1_GiB - used),
                                      unused(1_GiB - used), swapped(in, out));
  };
  const auto recording = recording_from({run.next(swapping(1_GiB, 0_MiB, 0_MiB)),
                                         run.next(swapping(1_GiB, 0_MiB, 400_MiB)),
                                         run.next(swapping(256_MiB, 300_MiB, 700_MiB))});
  CHECK(recording.trace.columns[0].used[2] < 256_MiB + 102_MiB);
  CHECK(recording.trace.columns[0].used[2] > 256_MiB + 99_MiB);
}

TEST_CASE("a squeezed guest without swap needs at least what it is short of") {
  TickMaker run;
  const auto squeezed = [](MemorySize out) {
    return World()
        .host(1200_MiB, free(200_MiB))
        .domain("a", actual(1_GiB), maximum(2_GiB), usable(10_MiB), unused(10_MiB),
                swapped(0_MiB, out));
  };
  const auto recording = recording_from({run.next(squeezed(0_MiB)), run.next(squeezed(0_MiB))});
  CHECK(recording.trace.columns[0].used[1] == 1_GiB - 10_MiB + 90_MiB);
  // A rise may leave a guest without memory for a tick.
  CHECK(recording.trace.columns[0].used[0] == 1_GiB - 10_MiB);
  // Swapping shows what a guest with swap lacks.
  TickMaker other;
  const auto with_swap = recording_from({other.next(squeezed(5_MiB)), other.next(squeezed(5_MiB))});
  CHECK(with_swap.trace.columns[0].used[1] == 1_GiB - 10_MiB);
}

TEST_CASE("a report from before a grow counts with the size that the guest had") {
  TickMaker run;
  const auto guest = [](MemorySize size, MemorySize total, MemorySize left) {
    return World().host(8_GiB).domain("a", actual(size), maximum(2_GiB), guest_total(total),
                                      usable(left), unused(left));
  };
  const auto recording = recording_from(
      {run.next(guest(1_GiB, 984_MiB, 600_MiB)), run.next(guest(1_GiB, 984_MiB, 500_MiB)),
       run.next(guest(1400_MiB, 984_MiB, 400_MiB)), run.next(guest(1400_MiB, 1360_MiB, 776_MiB))});
  const auto& used = recording.trace.columns[0].used;
  CHECK(used[1] == 524_MiB);
  CHECK(used[2] == 624_MiB);
  CHECK(used[3] == 624_MiB);
}

TEST_CASE("a domain without figures counts with what its process holds") {
  TickMaker run;
  const auto world = [] {
    return host_with(300_MiB).domain("mute", actual(1_GiB), maximum(1_GiB), rss(600_MiB),
                                     no_report());
  };
  const auto recording = recording_from({run.next(world()), run.next(world())});
  REQUIRE(recording.trace.columns.size() == 2);
  CHECK(recording.trace.columns[1].used[0] == 600_MiB);
  CHECK(has_note(recording,
                 "1 domain never reported memory figures and count with what their "
                 "processes held: mute"));
}

TEST_CASE("a domain that does not run uses nothing, and starts and stops are counted") {
  TickMaker run;
  const auto both = [] {
    return host_with(300_MiB).domain("job", actual(512_MiB), usable(300_MiB), unused(300_MiB));
  };
  const auto recording =
      recording_from({run.next(host_with(300_MiB)), run.next(both()), run.next(host_with(300_MiB)),
                      run.next(both()), run.next(both())});
  REQUIRE(recording.trace.columns.size() == 2);
  CHECK(recording.trace.columns[1].used == std::vector{0_MiB, 212_MiB, 0_MiB, 212_MiB, 212_MiB});
  CHECK(recording.host.at_once == 2);
  CHECK(has_note(recording, "started 2 times and stopped 1 times"));
}

TEST_CASE("a renamed domain keeps its column, and two domains of one name have one each") {
  TickMaker run;
  Tick renamed = run.next(host_with(300_MiB, "old"));
  Tick after = run.next(host_with(300_MiB, "old"));
  auto identity = *after.snapshot.domains[0].identity;
  identity.name = "new";
  after.snapshot.domains[0].identity = std::make_shared<const DomainIdentity>(identity);
  Tick other = run.next(host_with(200_MiB, "x"));
  auto namesake = *other.snapshot.domains[0].identity;
  namesake.name = "new";
  other.snapshot.domains[0].identity = std::make_shared<const DomainIdentity>(namesake);
  const auto recording = recording_from({renamed, after, other});
  REQUIRE(recording.trace.columns.size() == 2);
  CHECK(recording.trace.columns[0].name == "new");
  CHECK(recording.trace.columns[1].name == "new (2)");
  CHECK(has_note(recording, "old was renamed new"));
  CHECK(has_note(recording, "another domain was named new too: it is new (2)"));
}

TEST_CASE("a domain whose maximum changes counts with the largest") {
  TickMaker run;
  const auto with = [](MemorySize most) {
    return World().host(8_GiB).domain("a", actual(1_GiB), maximum(most), usable(500_MiB),
                                      unused(500_MiB));
  };
  const auto recording = recording_from({run.next(with(4_GiB)), run.next(with(2_GiB))});
  CHECK(recording.trace.columns[0].provisioned == 4_GiB);
  CHECK(has_note(recording, "the maximum of a changed; it counts with the largest, 4 GiB"));
}

TEST_CASE("domains that memcoord cannot move are the host's own use") {
  TickMaker run;
  const auto world = [] {
    return World()
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(1_GiB), rss(1_GiB), usable(500_MiB), unused(500_MiB))
        .domain("vfio", actual(2_GiB), rss(2_GiB), unsuitable("VFIO"), usable(1_GiB),
                unused(1_GiB));
  };
  const auto recording = recording_from({run.next(world()), run.next(world())});
  CHECK(recording.trace.columns.size() == 1);
  CHECK(recording.host.own_use[0] == 3_GiB);
  CHECK(has_note(recording, "count as the host's own use: vfio"));
}

TEST_CASE("time in which nothing was recorded is left out") {
  TickMaker run;
  std::vector<Tick> ticks{run.next(host_with(300_MiB)), run.next(host_with(300_MiB))};
  run.begin_run(2h);
  ticks.push_back(run.next(host_with(500_MiB)));
  ticks.push_back(run.next(host_with(500_MiB)));
  const auto recording = recording_from(ticks);
  CHECK(recording.trace.times == std::vector{0s, 1s, 2s, 3s});
  CHECK(has_note(recording, "nothing was recorded for 2 h from "));
  CHECK(has_note(recording, "that time is left out"));
}

TEST_CASE("a short break between two runs lasts as long as it did") {
  TickMaker run;
  std::vector<Tick> ticks{run.next(host_with(300_MiB)), run.next(host_with(300_MiB))};
  run.begin_run(60s);
  ticks.push_back(run.next(host_with(500_MiB)));
  const auto recording = recording_from(ticks);
  CHECK(recording.trace.times == std::vector{0s, 1s, 61s});
  CHECK(recording.notes.empty());
}

TEST_CASE("a wall clock that jumps moves no tick, and is said") {
  TickMaker run;
  std::vector<Tick> ticks{run.next(host_with(300_MiB))};
  run.clock_is_ahead = 1h;
  ticks.push_back(run.next(host_with(300_MiB)));
  const auto recording = recording_from(ticks);
  CHECK(recording.trace.times == std::vector{0s, 1s});
  CHECK(has_note(recording, "the wall clock jumped once, by +1 h"));
}

TEST_CASE("a tick without a sample leaves its row to the other ticks") {
  TickMaker run;
  std::vector<Tick> ticks{run.next(host_with(300_MiB)), run.next(host_with(900_MiB)),
                          run.next(host_with(300_MiB))};
  ticks[1].sample_error = Error{ErrorCode::unavailable, "", "libvirt", "", ""};
  const auto recording = recording_from(ticks);
  CHECK(recording.trace.times == std::vector{0s, 2s});
  CHECK(recording.trace.columns[0].used == std::vector{300_MiB, 300_MiB});
}

TEST_CASE("a recording of more domains than its bounds allow is refused before it takes memory") {
  TickMaker run;
  DemandRecorder recorder({}, {.columns = 2});
  const auto with = [](const char* name) {
    return World().host(8_GiB).domain(name, actual(1_GiB), usable(500_MiB), unused(500_MiB));
  };
  CHECK(recorder.take(run.next(with("a"))));
  CHECK(recorder.take(run.next(with("b"))));
  CHECK(recorder.take(run.next(with("a"))));
  const Status refused = recorder.take(run.next(with("c")));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::limit_exceeded);
  CHECK(refused.error().message == "more than 2 different domains");
}

TEST_CASE("unusable recordings are refused with a reason") {
  TickMaker run;
  const Tick one = run.next(host_with(300_MiB));
  const Tick two = run.next(host_with(300_MiB));
  CHECK(why_none({}).find("has no ticks with a sample") != std::string::npos);
  CHECK(why_none({one}).find("holds one tick") != std::string::npos);
  CHECK(why_none({one, two, one}).find("are there twice") != std::string::npos);

  TickMaker empty;
  CHECK(why_none({empty.next(World().host(8_GiB)), empty.next(World().host(8_GiB))})
            .find("no domain ran") != std::string::npos);

  TickMaker mute;
  const auto silent = [] { return World().host(8_GiB).domain("a", actual(1_GiB), no_report()); };
  CHECK(
      why_none({mute.next(silent()), mute.next(silent())}).find("no domain reported its memory") !=
      std::string::npos);

  TickMaker fixed;
  const auto excluded_only = [] {
    return World().host(8_GiB).domain("a", actual(1_GiB), excluded());
  };
  CHECK(why_none({fixed.next(excluded_only()), fixed.next(excluded_only())})
            .find("could move none") != std::string::npos);
}

TEST_CASE("ticks of two hosts are refused") {
  TickMaker run;
  const Tick ours = run.next(host_with(300_MiB));
  const Tick theirs = run.next(World().host(64_GiB).domain("b", actual(1_GiB)));
  CHECK(why_none({ours, theirs}).find("two hosts, of 8 GiB and 64 GiB") != std::string::npos);

  // Two hosts of one size show it by their domains and times.
  TickMaker other;
  const Tick earlier = other.next(host_with(300_MiB, "theirs"));
  Tick later = run.next(host_with(300_MiB));
  Tick begins = earlier;
  begins.snapshot.wall_time -= 1h;
  CHECK(why_none({ours, later, begins}).find("two hosts, whose domains are others") !=
        std::string::npos);
}

TEST_CASE("a recording larger than the bounds is refused") {
  TickMaker run;
  DemandRecorder recorder({}, {.values = 2});
  REQUIRE(recorder.take(run.next(host_with(300_MiB))).has_value());
  REQUIRE(recorder.take(run.next(host_with(300_MiB))).has_value());
  const Status refused = recorder.take(run.next(host_with(300_MiB)));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text().find("--step 1m") != std::string::npos);
}
