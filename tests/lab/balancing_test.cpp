// memcoord balances real guests: QEMU under a libvirt daemon, observed by the guests' consoles.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

void play_to_the_end(const Guests& guests) {
  for (const auto& guest : guests) CHECK(guest->wait_for("lab: plan done"));
}

void check_a_good_run(const Guests& guests, Coordination& run) {
  CHECK(run.end() == 0);
  const std::vector<Tick> ticks = answered(run.ticks());
  REQUIRE(ticks.size() > 10);
  CHECK(longest_wait(ticks) <= 2);
  for (const auto& guest : guests) {
    INFO(guest->name());
    CHECK_FALSE(guest->was_oom_killed());
  }
  for (const Tick& tick : ticks) {
    CHECK_FALSE(tick.policy_error.has_value());
    CHECK_FALSE(tick.sample_error.has_value());
  }
}

MemorySize least_total(const Guest& guest) {
  MemorySize least = MemorySize::largest();
  for (const ConsoleReport& report : guest.reports()) least = std::min(least, report.total);
  return least;
}

MemorySize most_total(const Guest& guest) {
  MemorySize most;
  for (const ConsoleReport& report : guest.reports()) most = std::max(most, report.total);
  return most;
}

/// A guest of 768 MiB that reads files until page cache fills its memory.
GuestSpec reader_of(const std::string& name) {
  GuestSpec spec = guest_of(name, "20:1", 768_MiB);
  spec.disk = 700_MiB;
  spec.more =
      "files=650:15,650:900";  // the kernel drops the disk's cache when no process has it open
  return spec;
}

bool is_full_of_page_cache(const Guest& guest) {
  const std::vector<ConsoleReport> reports = guest.reports();
  return !reports.empty() && reports.back().free < 100_MiB && reports.back().available > 400_MiB;
}

bool wait_for_page_cache(const Guests& guests) {
  for (int i = 0; i < 2400; ++i) {
    if (std::all_of(guests.begin(), guests.end(),
                    [](const auto& guest) { return is_full_of_page_cache(*guest); })) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

int times_noted(const std::vector<Tick>& ticks, const std::string& text) {
  int times = 0;
  for (const Tick& tick : ticks) {
    for (const Note& note : tick.notes) times += note.text.find(text) != std::string::npos ? 1 : 0;
  }
  return times;
}

// A consumer of 500 MiB in a guest that starts with 384.
const std::string kConsumes = "20:4,500:26,500:3,20:0,20:4";
const std::string kIdle = "20:37";

}  // namespace

TEST_CASE(
    "case 1: one of four guests consumes more and more, three are idle, and no workload is killed" *
    doctest::test_suite("lab-everyday")) {
  const LabHost host;
  const Guests guests = boot(host, {guest_of("builder", kConsumes), guest_of("files", kIdle),
                                    guest_of("mail", kIdle), guest_of("web", kIdle)});
  Coordination run(host, "--policy halving 1");
  play_to_the_end(guests);
  check_a_good_run(guests, run);
  CHECK(moves_of(run.ticks(), "builder").grows > 0);
  // Its load took 500 MiB, more than the 384 it started with: its kernel got more memory.
  CHECK(most_total(*guests[0]) > 520_MiB);
}

TEST_CASE("case 2: all four guests consume at the same pace, and no workload is killed") {
  const LabHost host;
  const Guests guests = boot(host, {guest_of("alpha", kConsumes), guest_of("bravo", kConsumes),
                                    guest_of("charlie", kConsumes), guest_of("delta", kConsumes)});
  Coordination run(host, "--policy halving 1");
  play_to_the_end(guests);
  check_a_good_run(guests, run);
  for (const auto& guest : guests) CHECK(moves_of(run.ticks(), guest->name()).grows > 0);
}

TEST_CASE(
    "case 3: two guests free their memory and stop, two continue, and no workload is killed") {
  const LabHost host;
  const std::string stops = "20:4,200:9,200:3,20:0,20:21";
  const Guests guests = boot(host, {guest_of("alpha", kConsumes), guest_of("bravo", kConsumes),
                                    guest_of("charlie", stops), guest_of("delta", stops)});
  // Two guests can exceed their part of the budget only by what the other two gave back. QEMU takes
  // 256 MiB of it.
  Coordination run(host, "--policy gradual --host-memory 2850MiB 1");
  play_to_the_end(guests);
  check_a_good_run(guests, run);
  CHECK(moves_of(run.ticks(), "alpha").grows > 0);
  const Moves stopped = moves_of(run.ticks(), "charlie");
  CHECK(stopped.shrinks > 0);
}

TEST_CASE("a starving guest gets memory before its OOM killer acts, which acts without memcoord") {
  // All at once, each on its own host.
  struct Place {
    LabHost host;
    std::unique_ptr<Guest> guest;
    std::unique_ptr<Coordination> run;
  };
  std::map<std::string, Place> places;
  for (const char* name : {"none", "adaptive", "band", "gradual", "halving", "target"}) {
    Place& place = places[name];
    place.guest = std::make_unique<Guest>(place.host, guest_of(name, "20:10,450:36,450:3"));
    if (name == std::string("none")) continue;
    const std::string options = std::string("--policy ") + name + " 1";
    place.run = std::make_unique<Coordination>(place.host, options);
  }
  for (auto& [name, place] : places) {
    CAPTURE(name);
    const bool is_served = place.run != nullptr;
    CHECK(place.guest->wait_for(is_served ? "lab: plan done" : "lab: workload killed"));
    CHECK(place.guest->was_oom_killed() != is_served);
    if (!is_served) continue;
    CHECK(place.run->end() == 0);
    CHECK(moves_of(place.run->ticks(), name).grows > 0);
    CHECK(longest_wait(place.run->ticks()) <= 2);
  }
}

TEST_CASE(
    "guests full of page cache give memory to one that needs it, but not with --headroom unused, "
    "which a note says once") {
  // 2,800 MiB for all: the readers' page cache has what the hungry guest needs beyond 384 MiB.
  struct Place {
    LabHost host;
    Guests guests;
    std::unique_ptr<Coordination> run;
  };
  const std::vector<std::string> kinds{"", "--policy halving", "--headroom unused"};
  std::map<std::string, Place> places;
  for (const std::string& kind : kinds) {
    Place& place = places[kind];
    place.guests = boot(place.host, {reader_of("files"), reader_of("mail"), reader_of("web")});
  }
  for (const std::string& kind : kinds) {
    Place& place = places[kind];
    const bool full = wait_for_page_cache(place.guests);
    REQUIRE_MESSAGE(full, place.guests.front()->console());
    place.guests.push_back(
        std::make_unique<Guest>(place.host, guest_of("hungry", "20:4,560:30,560:5")));
    place.run = std::make_unique<Coordination>(place.host, kind + " --host-memory 2800MiB 1");
  }
  for (const std::string& kind : kinds) {
    Place& place = places[kind];
    CAPTURE(kind);
    const bool counts_page_cache = kind != "--headroom unused";
    const Guest& hungry = *place.guests.back();
    CHECK(hungry.wait_for(counts_page_cache ? "lab: plan done" : "lab: workload killed"));
    CHECK(place.run->end() == 0);
    const std::vector<Tick> ticks = place.run->ticks();
    int shrinks = 0;
    for (const auto& guest : place.guests) {
      INFO(guest->name());
      CHECK(guest->was_oom_killed() == (!counts_page_cache && guest->name() == "hungry"));
      if (guest->name() != "hungry") shrinks += moves_of(ticks, guest->name()).shrinks;
    }
    if (counts_page_cache) CHECK(shrinks > 0);
    CHECK(times_noted(ticks, "counts as short by --headroom unused") ==
          (counts_page_cache ? 0 : 1));
  }
}

TEST_CASE(
    "a wasteful guest gives memory back, a guest without a balloon driver is skipped, and SIGTERM "
    "restores everything but the balloons") {
  const LabHost host;
  GuestSpec driverless = guest_of("driverless", kIdle);
  driverless.balloon_driver = false;
  GuestSpec rich = guest_of("rich", kIdle);
  rich.initial = rich.maximum;
  const Guests guests = boot(host, {rich, driverless});
  const int period = guests[0]->statistics_period();
  CHECK(period == 0);
  Coordination run(host, "--policy halving 1");
  REQUIRE(run.wait_for_ticks(12));
  CHECK(guests[0]->wait_for_period(1));
  const auto asked = std::chrono::steady_clock::now();
  CHECK(run.end() == 0);
  CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(10));
  CHECK(guests[0]->statistics_period() == 0);
  CHECK(moves_of(run.ticks(), "rich").shrinks > 0);
  CHECK(guests[0]->actual() < 600_MiB);
  CHECK(least_total(*guests[0]) < 600_MiB);  // its kernel's figure
  const Moves left_alone = moves_of(run.ticks(), "driverless");
  CHECK(left_alone.grows + left_alone.shrinks == 0);
  bool said = false;
  for (const SkippedDomain& skipped : run.ticks().back().skipped) {
    said = said || skipped.why.find("reports no statistics") != std::string::npos;
  }
  CHECK(said);
}

TEST_CASE("a dry run moves nothing, and --restore-on-exit restores the balloons") {
  const LabHost host;
  GuestSpec rich = guest_of("rich", kIdle);
  rich.initial = rich.maximum;
  const Guests guests = boot(host, {rich});
  REQUIRE(guests[0]->wait_for_statistics());
  Coordination dry(host, "--policy halving --dry-run 1", "dry");
  REQUIRE(dry.wait_for_ticks(5));
  CHECK(dry.end() == 0);
  CHECK(guests[0]->actual() == 768_MiB);
  Coordination run(host, "--policy halving --restore-on-exit 1");
  REQUIRE(run.wait_for_ticks(6));
  CHECK(guests[0]->actual() < 768_MiB);
  CHECK(run.end() == 0);
  // The guest takes its memory back at once. QEMU announces the size once a second.
  CHECK(guests[0]->wait_for_actual(768_MiB));
}

TEST_CASE("memcoord shows the settings in a domain's metadata and keeps its minimum") {
  const LabHost host;
  GuestSpec rich = guest_of("rich", kIdle);
  rich.initial = rich.maximum;
  const Guests guests = boot(host, {rich});
  const auto set = testing::run_memcoord(
      {"domain", "set", "rich", "--minimum", "700MiB", "--connect", host.uri()});
  CHECK_MESSAGE(set.exit_code == 0, set.errors);
  const auto shown = testing::run_memcoord({"domain", "show", "rich", "--connect", host.uri()});
  CHECK_MESSAGE(shown.output.find("700") != std::string::npos, shown.output, shown.errors);
  Coordination run(host, "--policy halving 1");
  REQUIRE(run.wait_for_ticks(10));
  CHECK(run.end() == 0);
  CHECK(guests[0]->actual() == 700_MiB);
}
