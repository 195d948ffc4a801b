// A guest whose QEMU stops affects no other guest. tests/README.md describes the measurements.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/lab/restless_policy.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

using Names = std::vector<std::string>;
using Ticks = std::vector<Tick>;

constexpr std::size_t kWindow = 15;
/// Intervals after a guest continues. Its overdue report comes at once.
constexpr std::size_t kServedAgainWithin = 2;

/// A run that waited for a stopped guest would keep half of its ticks at most. A busy machine may
/// cost one of kWindow.
constexpr double kUndisturbed = 0.8;

/// Ticks a second from one tick to another. Lost ticks lower it.
double pace(const Ticks& ticks, std::size_t first, std::size_t last) {
  const Duration took = ticks.at(last).snapshot.taken_at - ticks.at(first).snapshot.taken_at;
  return static_cast<double>(last - first) / std::chrono::duration<double>(took).count();
}

/// The share of these ticks that sampled the guest with its statistics.
double share_observed(const Ticks& ticks, std::size_t first, std::size_t last,
                      const std::string& name) {
  const auto observed = [&](const Tick& tick) {
    const Domain* domain = find_domain(tick, name);
    return domain != nullptr && domain->state == DomainState::running && domain->guest.unused;
  };
  const auto from = ticks.begin() + static_cast<std::ptrdiff_t>(first);
  const auto to = ticks.begin() + static_cast<std::ptrdiff_t>(last) + 1;
  return static_cast<double>(std::count_if(from, to, observed)) / static_cast<double>(to - from);
}

bool is_moved(const Tick& tick, const std::string& name) {
  const auto outcome = outcome_of(tick, name);
  return outcome && outcome->kind == Outcome::Kind::applied;
}

bool is_decided_on(const Tick& tick, const std::string& name) {
  const Domain* domain = find_domain(tick, name);
  return domain != nullptr &&
         std::any_of(tick.decisions.begin(), tick.decisions.end(),
                     [&](const Decision& decision) { return decision.domain == domain->uuid(); });
}

/// What a window of ticks had in which no guest was stopped.
struct Undisturbed {
  double pace = 0;
  std::map<std::string, double> observed;  ///< each guest's share of the ticks
};

/// Stops guests for a window of ticks, continues them, and checks all guests.
void check_stop(Coordination& run, const Guests& guests, const Names& stopped,
                const Undisturbed& undisturbed) {
  const auto is_stopped = [&](const std::string& name) {
    return std::find(stopped.begin(), stopped.end(), name) != stopped.end();
  };
  const std::size_t before = run.ticks().size() - 1;
  for (const auto& guest : guests) {
    if (is_stopped(guest->name())) guest->stop_process();
  }
  REQUIRE(run.wait_for_ticks(before + 1 + kWindow));
  const std::size_t end = run.ticks().size();
  for (const auto& guest : guests) guest->continue_process();
  REQUIRE(run.wait_for_ticks(end + kServedAgainWithin + 4));

  const Ticks ticks = run.ticks();
  const double ratio = pace(ticks, before, end - 1) / undisturbed.pace;
  CHECK(ratio >= kUndisturbed);
  MESSAGE(stopped.size() << " stopped: ticks kept " << ratio);
  // The first tick may have been under way when the guests stopped.
  for (const std::string& name : stopped) {
    CAPTURE(name);
    for (std::size_t i = before + 2; i < end; ++i) {
      CAPTURE(i);
      if (ticks[i].sample_error) continue;
      REQUIRE(find_domain(ticks[i], name) != nullptr);
      CHECK(find_domain(ticks[i], name)->state != DomainState::running);
      CHECK_FALSE(is_decided_on(ticks[i], name));
      CHECK_FALSE(is_moved(ticks[i], name));
    }
    CHECK(find_domain(ticks[end - 1], name)->state == DomainState::hung);
    CHECK(why_skipped(ticks[end - 1], name) == "does not answer");
    std::size_t served = end;
    while (served < ticks.size() && !serves(ticks[served], name)) ++served;
    MESSAGE(name << " served again in tick " << served - end + 1 << " after it continued");
    CHECK(served < end + kServedAgainWithin);
  }
  for (const auto& guest : guests) {
    if (is_stopped(guest->name())) continue;
    CAPTURE(guest->name());
    CHECK(share_observed(ticks, before + 1, end - 1, guest->name()) >=
          kUndisturbed * undisturbed.observed.at(guest->name()));
    const auto moves =
        std::count_if(ticks.begin() + static_cast<std::ptrdiff_t>(before) + 1,
                      ticks.begin() + static_cast<std::ptrdiff_t>(end),
                      [&](const Tick& tick) { return is_moved(tick, guest->name()); });
    CHECK(moves >= static_cast<std::ptrdiff_t>(kWindow) / 5);
  }
}

}  // namespace

TEST_CASE(
    "one of four guests is stopped, then two: the others keep their ticks, and memcoord serves "
    "those that continue" *
    doctest::test_suite("lab-everyday")) {
  const LabHost host;
  const std::string idle = "20:600";
  const Guests guests = boot(host, {guest_of("alpha", idle), guest_of("bravo", idle),
                                    guest_of("charlie", idle), guest_of("delta", idle)});
  Coordination run(host, "--policy " + restless_policy(host) + " 1");
  REQUIRE(run.wait_for_tick([](const Tick& tick) { return is_moved(tick, "delta"); }));
  const std::size_t first = run.ticks().size() - 1;
  REQUIRE(run.wait_for_ticks(first + 1 + kWindow));
  const Ticks ticks = run.ticks();
  Undisturbed undisturbed{pace(ticks, first, ticks.size() - 1), {}};
  for (const auto& guest : guests) {
    undisturbed.observed[guest->name()] =
        share_observed(ticks, first, ticks.size() - 1, guest->name());
    CHECK(undisturbed.observed[guest->name()] > 0.5);
  }

  check_stop(run, guests, {"bravo"}, undisturbed);
  check_stop(run, guests, {"alpha", "delta"}, undisturbed);

  CHECK(run.end() == 0);
  const std::string said = run.errors();
  for (const char* name : {"alpha", "bravo", "delta"}) {
    CAPTURE(name);
    CHECK(said.find(std::string(name) + ": skipped: does not answer") != std::string::npos);
    CHECK(said.find(std::string(name) + ": answers again, after") != std::string::npos);
  }
  CHECK(said.find("charlie: skipped") == std::string::npos);
}
