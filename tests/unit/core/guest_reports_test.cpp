#include "engine/core/guest_reports.h"

#include <doctest/doctest.h>

#include "engine/core/coordinator.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// The dropped figures of one domain at its first observation.
std::vector<std::string> dropped_of(Snapshot snapshot) {
  std::vector<std::string> names;
  for (const DroppedFigure& one : drop_impossible(snapshot, History())) names.push_back(one.figure);
  return names;
}

using Names = std::vector<std::string>;

/// -1 pages, as a driver reports a counter that it cannot read.
constexpr MemorySize kMinusOnePage = MemorySize::from_kib(18014398509481980U);

}  // namespace

TEST_CASE("a guest's figures that can be true all stay") {
  CHECK(dropped_of(World().domain("a", maximum(4_GiB), guest_total(4_GiB), unused(4_GiB),
                                  usable(4_GiB), swapped(900_GiB, 900_GiB)))
            .empty());
}

TEST_CASE("a figure over the domain's maximum is dropped") {
  CHECK(dropped_of(World().domain("a", maximum(4_GiB), unused(4_GiB + 1_KiB))) == Names{"unused"});
  CHECK(dropped_of(World().domain("a", maximum(4_GiB), unused(kMinusOnePage))) == Names{"unused"});
  CHECK(dropped_of(World().domain("a", maximum(4_GiB), guest_total(kMinusOnePage))) ==
        Names{"available"});
}

TEST_CASE("unused or usable memory over the guest's total is dropped") {
  CHECK(dropped_of(World().domain("a", guest_total(1_GiB), unused(1025_MiB))) == Names{"unused"});
  CHECK(dropped_of(World().domain("a", guest_total(1_GiB), usable(1025_MiB))) == Names{"usable"});
}

TEST_CASE("a guest whose total is 0 keeps its unused and usable figures") {
  CHECK(dropped_of(World().domain("a", guest_total(0_MiB), unused(1_GiB), usable(1_GiB))) ==
        Names{"available"});
}

TEST_CASE("an impossible rss is dropped, and not learnt as QEMU's own memory") {
  const auto world = [](Duration at, MemorySize skipped) {
    return World()
        .at(at)
        .host(16_GiB, free(8_GiB))
        .domain("a", maximum(8_GiB), actual(4_GiB), rss(skipped));
  };
  CHECK(dropped_of(world(0s, 24_GiB)).empty());  // merged pages (KSM) count in full
  CHECK(dropped_of(world(0s, 24_GiB + 1_KiB)) == Names{"rss"});
  CHECK(dropped_of(world(0s, 0_KiB)) == Names{"rss"});

  FakeHypervisor hypervisor(
      {world(0s, 4_GiB), world(1s, kMinusOnePage), world(2s, 0_KiB), world(3s, 4_GiB)});
  FakeClock clock;
  clock.follow(world(0s, 4_GiB));
  auto idle = std::make_unique<FakePolicy>(
      [](const Situation&) -> Result<PolicyAnswer> { return PolicyAnswer(); });
  Coordinator coordinator(hypervisor, clock, std::move(idle), {});
  for (int i = 0; i < 4; ++i) CHECK(coordinator.tick().grantable == 8_GiB - 200_MiB);
}

TEST_CASE("a counter that no guest reaches is dropped even from the first report") {
  CHECK(dropped_of(World().domain("a", swapped(kMinusOnePage, kMinusOnePage))) ==
        Names{"swap_in", "swap_out"});
  Snapshot faults = World().domain("a");
  faults.domains[0].guest.major_faults = 0 - std::uint64_t{4096};
  faults.domains[0].guest.minor_faults = std::uint64_t{1} << 59U;
  CHECK(dropped_of(faults) == Names{"major_faults"});
}

TEST_CASE("a counter that rises faster than any guest can count is dropped, and no other") {
  const auto sample = [](Duration at, MemorySize in, MemorySize out, std::uint64_t faults) {
    Snapshot snapshot = World().at(at).domain("a", maximum(8_GiB), swapped(in, out));
    snapshot.domains[0].guest.major_faults = faults;
    return snapshot;
  };
  const Observed observed(sample(0s, 0_MiB, 0_MiB, 10));
  Snapshot later = sample(2s, 16_GiB, 16_GiB + 1_KiB, 4'000'000'000U);
  const auto dropped = drop_impossible(later, observed.history());
  REQUIRE(dropped.size() == 2);
  CHECK(dropped[0].figure == "swap_out");
  CHECK(dropped[0].value == (16_GiB + 1_KiB).kib());
  CHECK(dropped[1].figure == "major_faults");
  CHECK(later.domains[0].guest.swap_in == 16_GiB);
  CHECK_FALSE(later.domains[0].guest.swap_out);
  CHECK(drop_impossible(later, observed.history()).empty());
}

TEST_CASE("impossible figures are listed, reported once a domain, and hidden from the policy") {
  const auto sample = [](Duration at, MemorySize out) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", unused(300_MiB), swapped(1_MiB, out));
  };
  std::vector<MemorySize> shown;
  auto policy = std::make_unique<FakePolicy>([&](const Situation& situation) {
    shown.push_back(situation.snapshot.domains[0].guest.swap_out.value_or(0_MiB));
    return Result<PolicyAnswer>(PolicyAnswer());
  });
  FakeHypervisor hypervisor({sample(0s, 1_MiB), sample(2s, kMinusOnePage),
                             sample(4s, kMinusOnePage), sample(6s, 1_MiB), sample(8s, 3_MiB)});
  FakeClock clock;
  Coordinator coordinator(hypervisor, clock, std::move(policy), {});
  std::vector<Tick> ticks;
  for (int i = 0; i < 5; ++i) ticks.push_back(coordinator.tick());
  CHECK(ticks[0].dropped.empty());
  REQUIRE(ticks[1].dropped.size() == 1);
  REQUIRE(ticks[1].notes.size() == 1);
  CHECK(ticks[1].notes[0].text.find("a: reports swap_out = 18014398509481980") == 0);
  CHECK(ticks[2].dropped.size() == 1);
  CHECK(ticks[2].notes.empty());
  CHECK(shown == std::vector{1_MiB, 0_MiB, 0_MiB, 1_MiB, 3_MiB});
}

namespace {

/// A report of domain a, stamped in whole seconds as libvirt does, with its headroom and a counter.
Snapshot stamped(Duration at, MemorySize headroom, MemorySize counter = 0_MiB) {
  return World().at(at).domain("a", unused(headroom), swapped(counter, 0_MiB),
                               reported_ago(at % 1s));
}

const BalloonTracker& balloon_of(const Observed& observed) {
  return observed.history().find(id("a"))->balloon;
}

double swap_in_rate(const Observed& observed) {
  return observed.history().find(id("a"))->samples.latest()[Field::swap_in];
}

}  // namespace

TEST_CASE("a report within the same second shows by its figures, and proves that it is new") {
  Observed observed(stamped(100ms, 800_MiB));
  observed.moved("a", 900_MiB);
  observed.then(stamped(300ms, 800_MiB));
  CHECK_FALSE(balloon_of(observed).reported_since_move());
  observed.then(stamped(500ms, 700_MiB));
  CHECK(balloon_of(observed).reported_since_move());
  CHECK(balloon_of(observed).reports().not_before() == observed.snapshot().taken_at - 200ms);
}

TEST_CASE("a figure that was dropped before, or is dropped now, is no sign of a new report") {
  Observed observed(stamped(100ms, 800_MiB, 1_MiB));
  Snapshot without = stamped(300ms, 800_MiB, 1_MiB);
  without.domains[0].guest.swap_in.reset();
  observed.then(without);
  observed.then(stamped(500ms, 800_MiB, 2_MiB));
  CHECK_FALSE(balloon_of(observed).reports().not_before());
}

TEST_CASE("a report counts from the hypervisor's own observation where that is later") {
  Observed observed(stamped(100ms, 800_MiB));
  observed.moved("a", 900_MiB);
  Snapshot later = stamped(300ms, 700_MiB);
  SUBCASE("and is newer than the move") {
    later.domains[0].reported_after = observed.snapshot().taken_at + 50ms;
    observed.then(later);
    CHECK(balloon_of(observed).reported_since_move());
  }
  SUBCASE("and not where that is earlier") {
    later.domains[0].reported_after = observed.snapshot().taken_at - 50ms;
    observed.then(later);
    CHECK_FALSE(balloon_of(observed).reported_since_move());
  }
}

TEST_CASE("rates count from report to report, however far apart the observations are") {
  // A report every second that no observation sees before 900 ms have passed, then one on demand.
  Observed observed(stamped(900ms, 800_MiB, 1_MiB));
  observed.then(stamped(1900ms, 800_MiB, 2_MiB));
  CHECK(swap_in_rate(observed) == doctest::Approx(1024));
  observed.then(stamped(2100ms, 800_MiB, 3_MiB));
  // By the observations alone it would be five times as much.
  CHECK(swap_in_rate(observed) < 1024 * 2);
  CHECK(swap_in_rate(observed) > 1024 / 2.0);
}
