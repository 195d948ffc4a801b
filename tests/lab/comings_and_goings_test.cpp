// Guests that end, boot and reboot while memcoord runs. tests/README.md describes the measurements.

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/lab/restless_policy.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

using Ticks = std::vector<Tick>;

const std::string kIdle = "20:600";

bool is_moved(const Tick& tick, const std::string& name) {
  const auto outcome = outcome_of(tick, name);
  return outcome && outcome->kind == Outcome::Kind::applied;
}
bool is_shrunk(const Tick& tick, const std::string& name) {
  return is_moved(tick, name) && outcome_of(tick, name)->to < outcome_of(tick, name)->from;
}
bool is_grown(const Tick& tick, const std::string& name) {
  return is_moved(tick, name) && outcome_of(tick, name)->to > outcome_of(tick, name)->from;
}

/// Sleeps until the policy decides on the next tick's snapshot.
void wait_until_the_policy_decides(const Coordination& run, Duration interval) {
  using namespace std::chrono;
  // A new line says when the last snapshot was taken. The next is due an interval later, or more
  // if a tick on a slow machine overran.
  REQUIRE(run.wait_for_more_ticks(1));
  const Tick last = run.ticks().back();
  WallTime next = last.snapshot.wall_time;
  while (next <= system_clock::now()) next += ceil<milliseconds>(interval);
  std::this_thread::sleep_until(next + ceil<milliseconds>(last.timings.decide / 4));
}

int times(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// The last tick that has the domain did not move it, and a note said so once.
void check_not_moved_at_end(const Ticks& ticks, const std::string& errors,
                            const std::string& name) {
  CAPTURE(name);
  const auto last = std::find_if(ticks.rbegin(), ticks.rend(), [&](const Tick& tick) {
    return find_domain(tick, name) != nullptr;
  });
  REQUIRE(last != ticks.rend());
  REQUIRE(outcome_of(*last, name).has_value());
  CHECK_FALSE(is_moved(*last, name));
  CHECK(find_domain(ticks.back(), name) == nullptr);
  CHECK(times(errors, name + ": not moved to") == 1);
}

}  // namespace

TEST_CASE(
    "a guest that ends between sample and apply is not moved, a note says so once, and the loop "
    "continues") {
  const LabHost host;
  const Guests guests = boot(
      host, {guest_of("crashes", kIdle), guest_of("destroyed", kIdle), guest_of("stays", kIdle)});
  // Deciding takes one second of five. That is time to end a guest, and for guests to report after
  // a move even on a machine that is several times slower.
  Coordination run(host, "--policy " + restless_policy(host) +
                             " --set work=150000000 --policy-time 1h"
                             " --policy-instructions 1000000000000 5");
  REQUIRE(run.wait_for_tick(
      [](const Tick& tick) { return is_moved(tick, "crashes") && is_moved(tick, "destroyed"); }));
  wait_until_the_policy_decides(run, std::chrono::seconds(5));
  guests[0]->kill_process();
  REQUIRE(run.wait_for_more_ticks(1));
  // The daemon locks a guest while it stops it, which takes some time.
  wait_until_the_policy_decides(run, std::chrono::seconds(5));
  guests[1]->destroy();
  REQUIRE(run.wait_for_more_ticks(1));
  REQUIRE(run.wait_for_tick([](const Tick& tick) { return is_moved(tick, "stays"); },
                            run.ticks().size()));
  CHECK(run.end() == 0);

  const Ticks ticks = run.ticks();
  check_not_moved_at_end(ticks, run.errors(), "crashes");
  check_not_moved_at_end(ticks, run.errors(), "destroyed");
  for (const Tick& tick : answered(ticks)) {
    CAPTURE(tick.number);
    CHECK_FALSE(tick.sample_error.has_value());
    CHECK_FALSE(tick.policy_error.has_value());
    if (const auto outcome = outcome_of(tick, "stays")) {
      CHECK(outcome->kind == Outcome::Kind::applied);
    }
  }
}

TEST_CASE(
    "a guest that boots or reboots during a run gets a grace: it may grow, and does not shrink "
    "until the grace is over") {
  const LabHost host;
  Guests guests = boot(host, {guest_of("again", kIdle, 768_MiB)});
  Coordination run(host, "--policy halving 1");
  // First memcoord takes the memory that the guest does not need.
  REQUIRE(run.wait_for_tick([](const Tick& tick) { return is_shrunk(tick, "again"); }));
  REQUIRE(run.wait_for_more_ticks(3));
  CHECK(guests[0]->actual() < 600_MiB);

  const std::size_t at_reset = run.ticks().size();
  guests[0]->reset();
  guests.push_back(std::make_unique<Guest>(host, guest_of("late", kIdle, 768_MiB)));
  guests.push_back(
      std::make_unique<Guest>(host, guest_of("hungry", "20:1,250:30,250:105", 220_MiB)));

  // In the end memcoord shrinks both: neither needs its memory.
  for (const char* name : {"again", "late"}) {
    CAPTURE(name);
    CHECK(run.wait_for_tick([&](const Tick& tick) { return is_shrunk(tick, name); }, at_reset + 2));
  }
  CHECK(run.end() == 0);
  const Ticks ticks = run.ticks();
  const Duration grace = Limits{}.grace;
  for (const char* name : {"again", "late", "hungry"}) {
    CAPTURE(name);
    std::optional<MonotonicTime> started;
    for (std::size_t i = at_reset; i < ticks.size(); ++i) {
      const Domain* domain = find_domain(ticks[i], name);
      if (domain == nullptr || !domain->started_at) continue;
      started = domain->started_at;
      CAPTURE(ticks[i].number);
      if (ticks[i].snapshot.taken_at - *started < grace) CHECK_FALSE(is_shrunk(ticks[i], name));
    }
    CHECK(started.has_value());
  }
  // It reboots with its old target, and gets its memory back as soon as it reports.
  CHECK(guests[0]->times_said("lab: start") == 2);
  const auto given =
      std::find_if(ticks.begin() + static_cast<std::ptrdiff_t>(at_reset), ticks.end(),
                   [](const Tick& tick) { return is_moved(tick, "again"); });
  REQUIRE(given != ticks.end());
  CHECK(outcome_of(*given, "again")->to == 767_MiB);
  // A guest that starves, as this one does from its first report on, gets memory during its grace.
  CHECK(std::any_of(ticks.begin(), ticks.end(), [&](const Tick& tick) {
    const Domain* domain = find_domain(tick, "hungry");
    return is_grown(tick, "hungry") && domain->started_at &&
           tick.snapshot.taken_at - *domain->started_at < grace;
  }));
  CHECK_FALSE(guests[2]->was_oom_killed());
}
