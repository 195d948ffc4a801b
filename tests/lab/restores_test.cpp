// Guests that continue from an earlier state: saved and restored, or reverted to a snapshot.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/lab/restless_policy.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

/// restless.lua moves a balloon by 8 MiB.
constexpr MemorySize kStep = MemorySize::from_mib(8);

bool is_moved(const Tick& tick, const std::string& name) {
  const auto outcome = outcome_of(tick, name);
  return outcome && outcome->kind == Outcome::Kind::applied;
}

void wait_until_it_holds(const Guest& guest, int mib) {
  const auto holds = [&] {
    const auto reports = guest.reports();
    return !reports.empty() && reports.back().held_mib >= mib;
  };
  for (int i = 0; i < 1200 && !holds(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  REQUIRE(holds());
}

void check_it_goes_on(const std::vector<Tick>& ticks, std::size_t from, const std::string& name,
                      MemorySize size_before) {
  CAPTURE(name);
  for (std::size_t i = from; i < ticks.size(); ++i) {
    CAPTURE(i);
    const Domain* domain = find_domain(ticks[i], name);
    // Until it runs it may count as started: the daemon lists it before it sends the
    // event.
    if (domain == nullptr || domain->state != DomainState::running) continue;
    // A guest that counts as rebooted gets a grace, and all its memory back.
    CHECK_FALSE(domain->started_at.has_value());
    for (const Decision& decision : ticks[i].decisions) {
      if (decision.domain != domain->uuid()) continue;
      CHECK(decision.target <= size_before + kStep + kStep);
      for (const RuleHit& hit : decision.rules) CHECK(hit.rule != Rule::grace);
    }
    CHECK(domain->actual + kStep + kStep >= size_before);
    CHECK(domain->actual <= size_before + kStep + kStep);
  }
  REQUIRE(find_domain(ticks.back(), name) != nullptr);
  CHECK(find_domain(ticks.back(), name)->restored_at.has_value());
}

}  // namespace

TEST_CASE(
    "a guest that is saved and restored, and one that is reverted to a snapshot, have not "
    "rebooted: they keep their balloons, and memcoord serves them") {
  const LabHost host;
  GuestSpec reverted = guest_of("reverted", "20:12,200:5,200:600");
  reverted.disk = 64_MiB;
  reverted.persistent = true;
  const Guests guests = boot(host, {reverted, guest_of("saved", "20:600")});
  for (const auto& guest : guests) REQUIRE(guest->wait_for_actual(384_MiB));
  Coordination run(host, "--policy " + restless_policy(host) + " 1");
  REQUIRE(run.wait_for_tick(
      [](const Tick& tick) { return is_moved(tick, "reverted") && is_moved(tick, "saved"); }));

  guests[0]->take_snapshot();
  // The revert undoes what it does from here on, so its counters fall.
  wait_until_it_holds(*guests[0], 200);
  const std::vector<Tick> before = run.ticks();
  guests[1]->save();
  REQUIRE(run.wait_for_tick([](const Tick& tick) { return find_domain(tick, "saved") == nullptr; },
                            before.size()));
  guests[1]->restore();
  guests[0]->revert_to_snapshot();
  const std::size_t back = run.ticks().size();
  for (const char* name : {"reverted", "saved"}) {
    CAPTURE(name);
    CHECK(run.wait_for_tick([&](const Tick& tick) { return is_moved(tick, name); }, back + 1));
  }
  CHECK(run.end() == 0);
  const std::vector<Tick> ticks = run.ticks();
  for (const char* name : {"reverted", "saved"}) {
    check_it_goes_on(ticks, before.size(), name, find_domain(before.back(), name)->actual);
  }
  for (const auto& guest : guests) CHECK_FALSE(guest->was_oom_killed());
}
