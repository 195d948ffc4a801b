// Guests that panic or stop reporting. tests/README.md describes the measurements.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/lab/restless_policy.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

using Ticks = std::vector<Tick>;

const std::string kIdle = "20:600";
const std::string kShort = "20:12";

bool is_moved(const Tick& tick, const std::string& name) {
  const auto outcome = outcome_of(tick, name);
  return outcome && outcome->kind == Outcome::Kind::applied;
}

GuestSpec panicking(const std::string& name, const std::string& more,
                    const std::string& on_crash = {}) {
  GuestSpec spec = guest_of(name, kShort);
  spec.more = more;
  spec.on_crash = on_crash;
  return spec;
}

bool has_state(const Tick& tick, const std::string& name, DomainState state) {
  const Domain* domain = find_domain(tick, name);
  return domain != nullptr && domain->state == state;
}

void check_no_move(const Ticks& ticks, std::size_t from, const std::string& name) {
  CAPTURE(name);
  for (std::size_t i = from; i < ticks.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(is_moved(ticks[i], name));
  }
}

}  // namespace

TEST_CASE(
    "guests that panic: one reboots, one stands still, one is kept as crashed, one is gone, and "
    "the loop continues for the rest") {
  const LabHost host;
  const Guests guests = boot(host, {guest_of("well", kIdle), panicking("reboots", "then=panic"),
                                    panicking("stands", "then=die panic=0"),
                                    panicking("kept", "then=panic panic=0", "preserve"),
                                    panicking("gone", "then=panic panic=0", "destroy")});
  Coordination run(host, "--policy " + restless_policy(host) + " 1");
  for (std::size_t i = 1; i < guests.size(); ++i) {
    CAPTURE(guests[i]->name());
    REQUIRE(guests[i]->wait_for("lab: panics"));
  }
  const std::size_t panicked = run.ticks().size();
  CHECK(run.wait_for_tick(
      [](const Tick& tick) { return has_state(tick, "kept", DomainState::crashed); }));
  CHECK(run.wait_for_tick([](const Tick& tick) { return find_domain(tick, "gone") == nullptr; }));
  const std::string old = "its statistics are older than 4 s";
  CHECK(run.wait_for_tick([&](const Tick& tick) { return why_skipped(tick, "stands") == old; },
                          panicked));
  CHECK(run.wait_for_tick(
      [](const Tick& tick) {
        const Domain* domain = find_domain(tick, "reboots");
        return domain != nullptr && domain->started_at.has_value();
      },
      panicked));
  const std::size_t settled = run.ticks().size();
  REQUIRE(run.wait_for_more_ticks(5));
  CHECK(run.end() == 0);

  const Ticks ticks = run.ticks();
  CHECK(why_skipped(ticks.back(), "kept") == "is crashed");
  CHECK(why_skipped(ticks.back(), "stands") == old);
  for (const char* name : {"stands", "kept", "gone"}) check_no_move(ticks, settled, name);
  CHECK(std::any_of(ticks.begin() + static_cast<std::ptrdiff_t>(panicked), ticks.end(),
                    [](const Tick& tick) { return is_moved(tick, "well"); }));
  // On a busy machine a guest's answer may come too late for a tick.
  std::size_t in_time = 0;
  for (const Tick& tick : answered(ticks)) {
    CAPTURE(tick.number);
    CHECK_FALSE(tick.sample_error.has_value());
    CHECK_FALSE(tick.policy_error.has_value());
    CHECK(find_domain(tick, "well") != nullptr);
    if (has_state(tick, "well", DomainState::running)) ++in_time;
  }
  CHECK(in_time > answered(ticks).size() / 2);
}

TEST_CASE(
    "statistics that stop decide nothing: memcoord sets a period of 0 again and skips a guest "
    "without its driver") {
  const LabHost host;
  GuestSpec unloads = guest_of("unloads", kShort);
  unloads.more = "then=unload";
  const Guests guests = boot(host, {guest_of("silenced", kIdle), unloads, guest_of("well", kIdle)});
  Coordination run(host, "--policy " + restless_policy(host) + " 1");
  REQUIRE(guests[1]->wait_for("lab: driver removed"));
  REQUIRE(run.wait_for_tick([](const Tick& tick) { return is_moved(tick, "silenced"); }));
  const std::string old = "its statistics are older than 4 s";

  const std::size_t silenced = run.ticks().size();
  guests[0]->set_statistics_period(0);
  // memcoord notices when it next asks the guest, or when reports are missing.
  CHECK(run.wait_for_tick([](const Tick& tick) { return is_moved(tick, "silenced"); },
                          silenced + 10));
  CHECK(guests[0]->wait_for_period(1));
  CHECK(run.wait_for_tick([&](const Tick& tick) { return why_skipped(tick, "unloads") == old; }));
  REQUIRE(run.wait_for_more_ticks(3));
  CHECK(run.end() == 0);

  const Ticks ticks = run.ticks();
  CHECK(why_skipped(ticks.back(), "unloads") == old);
  CHECK(run.errors().find("silenced: its statistics period was off; memcoord has set it again") !=
        std::string::npos);
  // No decision uses figures older than memcoord trusts.
  for (const char* name : {"silenced", "unloads", "well"}) {
    CAPTURE(name);
    std::optional<WallTime> report;
    MonotonicTime observed{};
    for (const Tick& tick : answered(ticks)) {
      CAPTURE(tick.number);
      const Domain* domain = find_domain(tick, name);
      REQUIRE(domain != nullptr);
      if (domain->guest.last_update != report) observed = tick.snapshot.taken_at;
      report = domain->guest.last_update;
      if (tick.snapshot.taken_at - observed > std::chrono::seconds(4))
        CHECK_FALSE(is_moved(tick, name));
    }
  }
  CHECK(guests[0]->statistics_period() == 0);
}
