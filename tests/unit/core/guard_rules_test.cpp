// The guard's two tables, rule by rule; shared bounds are in guard_test.cpp.

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

Decision decide(const World& world, const std::string& name, MemorySize target,
                Limits limits = {}) {
  return Observed(world, limits).decide(name, target);
}

using Rules = std::vector<Rule>;

}  // namespace

TEST_CASE("a move within all limits passes unchanged, with the policy's reason") {
  const Decision d = decide(World().domain("a", actual(1_GiB), unused(800_MiB)), "a", 700_MiB);
  CHECK(d.target == 700_MiB);
  CHECK(d.rules.empty());
  CHECK(d.why == "a test");
}

// --- sane_target ---

TEST_CASE("sane_target refuses a target of 0, one larger than any memory, and an unknown domain") {
  const World world = World().domain("a");
  for (const MemorySize target : {MemorySize(), MemorySize::largest()}) {
    const Decision d = decide(world, "a", target);
    CHECK(d.holds());
    CHECK(rules_of(d) == Rules{Rule::sane_target});
  }
  const Decision gone = decide(world, "b", 1_GiB);
  CHECK(gone.domain == id("b"));
  CHECK(gone.holds());
  CHECK(rules_of(gone) == Rules{Rule::sane_target});
}

TEST_CASE("sane_target refuses a domain that is proposed twice, in either order") {
  const Observed observed(World().domain("a", actual(1_GiB), unused(900_MiB)).domain("b"));
  const auto one = observed.decide({{"a", 900_MiB}, {"a", 950_MiB}});
  const auto other = observed.decide({{"a", 950_MiB}, {"a", 900_MiB}});
  REQUIRE(one.size() == 1);
  CHECK(one.front().holds());
  CHECK(rules_of(one.front()) == Rules{Rule::sane_target});
  CHECK(one == other);
}

// --- running_only and domains that are none of our business ---

TEST_CASE("running_only skips every domain that does not run") {
  for (const auto s :
       {DomainState::paused, DomainState::shutting_down, DomainState::shut_off,
        DomainState::crashed, DomainState::migrating, DomainState::busy, DomainState::hung}) {
    CAPTURE(to_text(s));
    for (const MemorySize target : {900_MiB, 1200_MiB}) {
      const Decision d = decide(World().domain("a", unused(800_MiB), state(s)), "a", target);
      CHECK(d.holds());
      CHECK(rules_of(d) == Rules{Rule::running_only});
    }
  }
}

TEST_CASE("an excluded or unsuitable domain is skipped, with the reason") {
  const Decision a = decide(World().domain("a", unused(800_MiB), excluded()), "a", 900_MiB);
  CHECK(a.holds());
  CHECK(a.rules.front().why == "excluded by its settings");
  const Decision b =
      decide(World().domain("b", unused(800_MiB), unsuitable("has hugepages")), "b", 900_MiB);
  CHECK(b.holds());
  CHECK(b.rules.front().why == "has hugepages");
  const Observed observed(World().domain("b", unsuitable("has hugepages")));
  const auto skipped = observed.situation().domains.front().skipped;
  REQUIRE(skipped.has_value());
  CHECK_FALSE(skipped->rule.has_value());
}

// --- fresh_stats ---

TEST_CASE("fresh_stats skips a guest that reports nothing, or not the chosen figure") {
  CHECK(rules_of(decide(World().domain("a", no_report()), "a", 2_GiB)) == Rules{Rule::fresh_stats});
  Snapshot snapshot = World().domain("a");
  snapshot.domains.front().guest.unused.reset();
  CHECK(rules_of(Observed(snapshot).decide("a", 2_GiB)) == Rules{Rule::fresh_stats});
}

TEST_CASE("fresh_stats trusts a report for three periods and a second, and no longer") {
  const auto at_age = [](Duration age) {
    return decide(World().domain("a", unused(800_MiB), reported_ago(age)), "a", 900_MiB);
  };
  CHECK(at_age(4s).target == 900_MiB);
  CHECK(rules_of(at_age(4001ms)) == Rules{Rule::fresh_stats});
  CHECK(rules_of(at_age(1h)) == Rules{Rule::fresh_stats});
}

TEST_CASE("fresh_stats trusts a report whose change was observed, whatever the host's clock says") {
  // A remote host whose clock is an hour behind.
  Observed observed(World().domain("a", unused(800_MiB), reported_ago(1h)));
  CHECK(rules_of(observed.decide("a", 900_MiB)) == Rules{Rule::fresh_stats});
  observed.then(World().at(2s).domain("a", unused(800_MiB), reported_ago(1h)));
  CHECK(observed.decide("a", 900_MiB).target == 900_MiB);
}

TEST_CASE("fresh_stats does not count the first observation of an old report as a change") {
  Observed observed(World().domain("a", unused(800_MiB), reported_ago(1h)));
  observed.then(World().at(2s).domain("a", unused(800_MiB), reported_ago(1h + 2s)));
  CHECK(rules_of(observed.decide("a", 900_MiB)) == Rules{Rule::fresh_stats});
}

TEST_CASE("fresh_stats waits for a report that is later than the last balloon move") {
  Observed observed(World().domain("a", unused(800_MiB)));
  observed.moved("a", 900_MiB);
  // A second later the stamp, in whole seconds as libvirt's, is that of the move.
  observed.then(
      World().at(900ms).domain("a", actual(900_MiB), unused(800_MiB), reported_ago(900ms)));
  CHECK(rules_of(observed.decide("a", 800_MiB)) == Rules{Rule::fresh_stats});
  observed.then(World().at(2s).domain("a", actual(900_MiB), unused(676_MiB)));
  CHECK(observed.decide("a", 800_MiB).target == 800_MiB);
}

TEST_CASE("fresh_stats lets a guest that was short grow before its next report, and not shrink") {
  const auto sample = [](Duration at, MemorySize has, MemorySize left, Duration age) {
    return World()
        .at(at)
        .host(16_GiB, free(8_GiB))
        .domain("a", actual(has), guest_total(980_MiB), unused(left), reported_ago(age));
  };
  for (const MemorySize left : {149_MiB, 150_MiB}) {
    Observed observed(sample(0s, 1_GiB, left, 0s));
    observed.then(sample(2s, 1_GiB, left, 0s));
    observed.moved("a", 2_GiB);
    observed.then(sample(2200ms, 1324_MiB, left, 200ms));
    const Situation situation = observed.situation();
    const bool is_short = left == 149_MiB;
    CHECK(situation.domains[0].skipped.has_value() != is_short);
    CHECK(situation.domains[0].grows_only == is_short);
    CHECK(rules_of(observed.decide("a", 1300_MiB)) == Rules{Rule::fresh_stats});
    CHECK(observed.decide("a", 3_GiB).target == (is_short ? 3_GiB : 1324_MiB));
    if (!is_short) continue;
    // The balloon has given 300 MiB since the report.
    CHECK(situation.domains[0].headroom == 449_MiB);
    CHECK(situation.domains[0].reclaimable.is_zero());
  }
}

TEST_CASE("a guest that was short waits for a report where its balloon's part is not known") {
  Observed observed(World().host(16_GiB, free(8_GiB)).domain("a", unused(20_MiB)));
  observed.moved("a", 1100_MiB);
  observed.then(World()
                    .at(200ms)
                    .host(16_GiB, free(8_GiB))
                    .domain("a", actual(1100_MiB), unused(20_MiB), reported_ago(200ms)));
  CHECK(rules_of(observed.decide("a", 2_GiB)) == Rules{Rule::fresh_stats});
}

TEST_CASE("a guest that gets short while its balloon fills at boot may grow before it rests") {
  // Observed on a busy host: a guest starts with all of its memory, and its workload begins before
  // the balloon is full. No report is surely newer than the balloon's last change.
  const auto sample = [](Duration at, MemorySize has, MemorySize left) {
    return World()
        .at(at)
        .host(16_GiB, free(8_GiB))
        .domain("a", actual(has), guest_total(has - 47_MiB), unused(left), maximum(768_MiB));
  };
  Observed observed(sample(0s, 512_MiB, 278_MiB));
  observed.then(sample(1s, 405_MiB, 184_MiB));
  CHECK(rules_of(observed.decide("a", 700_MiB)) == Rules{Rule::fresh_stats});
  observed.then(sample(2s, 296_MiB, 43_MiB));
  CHECK(observed.situation().domains[0].headroom == 43_MiB);
  CHECK(observed.decide("a", 600_MiB).target == 600_MiB);
  CHECK(rules_of(observed.decide("a", 200_MiB)) == Rules{Rule::fresh_stats});
}

TEST_CASE("fresh_stats distrusts a guest that reports more memory than its balloon leaves it") {
  // Observed on real guests at boot: actual is down already, the figures are from before.
  Snapshot booting = World().domain("a", actual(384_MiB), unused(600_MiB));
  booting.domains.front().guest.available = 690_MiB;
  CHECK(rules_of(Observed(booting).decide("a", 200_MiB)) == Rules{Rule::fresh_stats});
  booting.domains.front().guest.available = 330_MiB;
  CHECK(Observed(booting).decide("a", 200_MiB).target == 200_MiB);
}

TEST_CASE("fresh_stats trusts a report that is surely newer than the balloon's last change") {
  // A driver that leaves the guest's total as it is, whatever the balloon holds.
  const auto sample = [](Duration at, MemorySize has, MemorySize left) {
    return World().at(at).domain("a", actual(has), unused(left), guest_total(1_GiB));
  };
  Observed observed(sample(0s, 1_GiB, 800_MiB));
  observed.moved("a", 900_MiB);
  observed.then(sample(2s, 900_MiB, 676_MiB));
  CHECK(rules_of(observed.decide("a", 800_MiB)) == Rules{Rule::fresh_stats});
  observed.then(sample(4s, 900_MiB, 676_MiB));
  CHECK(observed.decide("a", 800_MiB).target == 800_MiB);
}

TEST_CASE("fresh_stats waits for a report from after the balloon gave memory back") {
  const auto sample = [](Duration at, MemorySize has, MemorySize total, MemorySize left) {
    return World().at(at).domain("a", actual(has), guest_total(total), unused(left));
  };
  Observed observed(sample(0s, 1_GiB, 980_MiB, 50_MiB));
  observed.then(sample(2s, 1_GiB, 980_MiB, 50_MiB));
  observed.moved("a", 2_GiB);
  // A report from half-way, though its stamp is later than the move.
  observed.then(sample(4s, 2_GiB, 1500_MiB, 570_MiB));
  CHECK(rules_of(observed.decide("a", 3_GiB)) == Rules{Rule::fresh_stats});
  observed.then(sample(6s, 2_GiB, 2004_MiB, 1074_MiB));
  CHECK(observed.decide("a", 3_GiB).target == 3_GiB);
}

TEST_CASE(
    "fresh_stats distrusts a report from before a move, though a remote host's clock is ahead") {
  const auto sample = [](Duration at, MemorySize left, Duration stamp) {
    return World().at(at).domain("a", unused(left), reported_ago(stamp));
  };
  // Half a minute ahead: every stamp is later than every move.
  Observed observed(sample(0s, 800_MiB, -30s));
  observed.then(sample(2s, 800_MiB, -30s));
  observed.moved("a", 900_MiB);
  // This report may have been made between the sample and the move.
  observed.then(World().at(4s).domain("a", actual(900_MiB), unused(800_MiB), reported_ago(-30s)));
  CHECK(rules_of(observed.decide("a", 800_MiB)) == Rules{Rule::fresh_stats});
  observed.then(World().at(6s).domain("a", actual(900_MiB), unused(676_MiB), reported_ago(-30s)));
  CHECK(observed.decide("a", 800_MiB).target == 800_MiB);
}

TEST_CASE("fresh_stats distrusts a report that does not change, whatever its stamp says") {
  // The wall clock is set back again and again; the report stays the same.
  Observed observed(World().domain("a", unused(800_MiB)));
  for (int second = 1; second <= 5; ++second) {
    const Duration passed = std::chrono::seconds(second);
    Snapshot sample = World().at(passed).domain("a", unused(800_MiB), reported_ago(passed));
    sample.wall_time -= std::chrono::seconds(second);
    observed.then(sample);
    CHECK(observed.decide("a", 900_MiB).holds() == (second > 4));
  }
}

TEST_CASE("fresh_stats skips a guest whose stamp makes no sense") {
  for (const WallTime stamp : {WallTime::min(), WallTime::max()}) {
    Snapshot sample = World().domain("a", unused(800_MiB));
    sample.domains.front().guest.last_update = stamp;
    CHECK(rules_of(Observed(sample).decide("a", 900_MiB)) == Rules{Rule::fresh_stats});
  }
}

TEST_CASE("fresh_stats waits for a new report after a foreign balloon move") {
  Observed observed(World().domain("a", unused(800_MiB)));
  observed.then(World().at(2s).domain("a", actual(700_MiB), unused(800_MiB)));
  CHECK(rules_of(observed.decide("a", 600_MiB)) == Rules{Rule::fresh_stats});
  observed.then(World().at(4s).domain("a", actual(700_MiB), unused(476_MiB)));
  CHECK(observed.decide("a", 600_MiB).target == 600_MiB);
}

// --- no_progress ---

TEST_CASE("no_progress refuses another shrink to a guest that did not follow one, until it moves") {
  Observed observed(World().domain("a", unused(800_MiB)));
  observed.moved("a", 900_MiB);
  observed.then(World().at(2s).domain("a", unused(800_MiB)));
  observed.then(World().at(4s).domain("a", unused(800_MiB)));
  CHECK(rules_of(observed.decide("a", 700_MiB)) == Rules{Rule::no_progress});
  CHECK(observed.decide("a", 1200_MiB).target == 1200_MiB);
  observed.then(World().at(6s).domain("a", actual(1000_MiB), unused(776_MiB)));
  CHECK(observed.decide("a", 900_MiB).target == 900_MiB);
}

TEST_CASE("no_progress waits for two seconds, however many ticks they have") {
  const auto sample = [](Duration at) { return World().at(at).domain("a", unused(800_MiB)); };
  Observed observed(sample(0s));
  observed.moved("a", 900_MiB);
  for (const Duration at : {400ms, 800ms, 1200ms, 1600ms}) observed.then(sample(at));
  CHECK(observed.decide("a", 900_MiB).shrinks());
  observed.then(sample(2s));
  CHECK(rules_of(observed.decide("a", 900_MiB)) == Rules{Rule::no_progress});
}

TEST_CASE("no_progress applies though a policy asks in every tick, and though it asks for a grow") {
  const auto sample = [](Duration at, MemorySize has = 4_GiB) {
    return World().at(at).domain("a", actual(has), unused(3_GiB));
  };
  Observed observed(sample(0s));
  observed.moved("a", 3_GiB);
  observed.then(sample(1s)).moved("a", 2900_MiB);
  observed.then(sample(2s));
  CHECK(rules_of(observed.decide("a", 2800_MiB)) == Rules{Rule::no_progress});
  observed.moved("a", 5_GiB);
  observed.then(sample(3s));
  observed.then(sample(4s));
  CHECK(rules_of(observed.decide("a", 2800_MiB)) == Rules{Rule::no_progress});
  observed.then(sample(5s, 4100_MiB));
  CHECK(observed.decide("a", 2900_MiB).target == 2900_MiB);
}

TEST_CASE("no_progress applies to a balloon that stopped half-way, once it was asked again") {
  const auto sample = [](Duration at) {
    return World().at(at).domain("a", actual(3500_MiB), unused(3_GiB));
  };
  Observed observed(World().domain("a", actual(4_GiB), unused(3_GiB)));
  observed.moved("a", 3_GiB);
  for (const auto at : {1s, 2s}) {
    observed.then(sample(at));
    CHECK(observed.decide("a", 3_GiB).target == 3_GiB);
    observed.moved("a", 3_GiB);
  }
  observed.then(sample(3s));
  CHECK(rules_of(observed.decide("a", 3_GiB)) == Rules{Rule::no_progress});
}

TEST_CASE("no_progress ignores a shrink that was withdrawn before the guest could follow") {
  const auto sample = [](Duration at) { return World().at(at).domain("a", unused(800_MiB)); };
  Observed observed(sample(0s));
  observed.moved("a", 900_MiB);
  observed.then(sample(1s)).moved("a", 1100_MiB);
  observed.then(sample(2s));
  observed.then(sample(3s));
  CHECK(observed.decide("a", 900_MiB).target == 900_MiB);
}

TEST_CASE("a guest that rests within one of its pages of a target gets no second move there") {
  const auto sample = [](Duration at, MemorySize has) {
    return World().at(at).domain("a", actual(has), unused(800_MiB));
  };
  Observed observed(sample(0s, 1_GiB));
  observed.moved("a", 2_GiB);
  observed.then(sample(1s, 2_GiB - 60_KiB));
  CHECK(observed.decide("a", 2_GiB).target == 2_GiB);  // it may be on its way
  observed.then(sample(2s, 2_GiB - 60_KiB));
  CHECK(observed.decide("a", 2_GiB).holds());
  CHECK(observed.decide("a", 2_GiB + 4_KiB).grows());
  for (const auto at : {3s, 5s}) observed.then(sample(at, 2_GiB - 64_KiB));
  CHECK(observed.decide("a", 2_GiB).target == 2_GiB);
}

// --- grace ---

TEST_CASE("grace refuses a shrink of a domain that has just started, and allows a grow") {
  const World young = World().domain("a", unused(800_MiB), started_ago(29s));
  CHECK(rules_of(decide(young, "a", 900_MiB)) == Rules{Rule::grace});
  CHECK(decide(young, "a", 1200_MiB).target == 1200_MiB);
  CHECK(decide(World().domain("a", unused(800_MiB), started_ago(30s)), "a", 900_MiB).target ==
        900_MiB);
}

TEST_CASE(
    "a domain that has just started gives what the host needs at once and others cannot give") {
  // "new" may touch 3 GiB more, of which the host has half above its floor. "old" can give half of
  // what it has unused.
  const auto world = [](MemorySize unused_by_old) {
    return World()
        .host(8_GiB, free(1536_MiB + 200_MiB))
        .domain("old", actual(4_GiB), rss(4_GiB), unused(unused_by_old))
        .domain("new", actual(4_GiB), rss(1_GiB), unused(3_GiB), started_ago(5s));
  };
  const World before = World().host(8_GiB, free(3_GiB)).domain("old", actual(4_GiB));
  Observed needs_new(before);
  needs_new.then(world(1000_MiB).at(1s));
  const Situation now = needs_new.situation();
  const MemorySize needed = 1536_MiB + now.domains[0].balloon.overhead(now.domains[0].domain);
  REQUIRE(now.rescue == needed);
  CHECK(rules_of(needs_new.decide("new", 2_GiB)) == Rules{Rule::grace});
  CHECK(needs_new.decide("new", 2_GiB).target == 4_GiB - (needed - 500_MiB));

  Observed needs_old(before);
  needs_old.then(world(3600_MiB).at(1s));
  CHECK(needs_old.decide("new", 2_GiB).target == 4_GiB);
}

TEST_CASE("grace applies to a guest whose counters and missing reports show a reboot") {
  Observed observed(World().domain("a", unused(800_MiB), swapped(5_MiB, 5_MiB)));
  for (const auto at : {2s, 4s}) {
    observed.then(
        World().at(at).domain("a", unused(800_MiB), swapped(5_MiB, 5_MiB), reported_ago(at)));
  }
  observed.then(World().at(6s).domain("a", unused(800_MiB), swapped(0_MiB, 0_MiB)));
  CHECK(rules_of(observed.decide("a", 900_MiB)) == Rules{Rule::grace});
}

TEST_CASE("grace refuses a shrink of a balloon that has deflated by itself") {
  Observed observed(World().domain("a", actual(512_MiB), unused(300_MiB), deflates_by_itself()));
  observed.then(World().at(2s).domain("a", actual(700_MiB), unused(300_MiB), deflates_by_itself()));
  observed.then(World().at(4s).domain("a", actual(700_MiB), unused(300_MiB), deflates_by_itself()));
  CHECK(rules_of(observed.decide("a", 600_MiB)) == Rules{Rule::grace});
  CHECK(observed.decide("a", 800_MiB).target == 800_MiB);
  observed.then(
      World().at(32s).domain("a", actual(700_MiB), unused(300_MiB), deflates_by_itself()));
  CHECK(observed.decide("a", 600_MiB).target == 600_MiB);
}

// --- maximum and minimum ---

TEST_CASE("maximum caps a grow at the domain's maximum, or at its configured ceiling") {
  const Decision d = decide(World().domain("a", maximum(2_GiB)), "a", 3_GiB);
  CHECK(d.target == 2_GiB);
  CHECK(rules_of(d) == Rules{Rule::maximum});
  CHECK(decide(World().domain("a", ceiling(1536_MiB)), "a", 3_GiB).target == 1536_MiB);
  CHECK(decide(World().domain("a", maximum(2_GiB)), "a", 2_GiB).rules.empty());
}

TEST_CASE("maximum takes nothing from a domain that is already over its ceiling") {
  const Decision d = decide(World().domain("a", actual(2_GiB), ceiling(1_GiB)), "a", 3_GiB);
  CHECK(d.holds());
}

TEST_CASE("minimum stops a shrink, and lets a domain under it grow") {
  const World world = World().domain("a", unused(800_MiB), minimum(900_MiB));
  const Decision d = decide(world, "a", 800_MiB);
  CHECK(d.target == 900_MiB);
  CHECK(rules_of(d) == Rules{Rule::minimum});
  const World under = World().domain("a", actual(512_MiB), unused(400_MiB), minimum(900_MiB));
  CHECK(decide(under, "a", 600_MiB).target == 600_MiB);
  CHECK(decide(under, "a", 400_MiB).holds());
}

// --- gradual ---

TEST_CASE("gradual takes at most half of the unused memory in one tick") {
  const World world = World().domain("a", unused(300_MiB));
  const Decision d = decide(world, "a", 1_GiB - 200_MiB);
  CHECK(d.target == 1_GiB - 150_MiB);
  CHECK(rules_of(d) == Rules{Rule::gradual});
  CHECK(decide(world, "a", 1_GiB - 150_MiB).rules.empty());
}

TEST_CASE("gradual follows a stricter --max-reclaim") {
  Limits limits;
  limits.max_reclaim = 0.1;
  CHECK(decide(World().domain("a", unused(500_MiB)), "a", 512_MiB, limits).target ==
        1_GiB - 50_MiB);
}

// --- domain_floor ---

TEST_CASE("gradual takes at most half in a second, however many ticks it has") {
  const auto sample = [](Duration at, MemorySize has, MemorySize left) {
    return World().at(at).domain("a", actual(has), unused(left));
  };
  Observed observed(sample(0s, 2_GiB, 1000_MiB));
  observed.moved("a", 2_GiB - 300_MiB);
  // The guest has reported since.
  observed.then(sample(200ms, 2_GiB - 300_MiB, 700_MiB));
  observed.then(sample(400ms, 2_GiB - 300_MiB, 700_MiB));
  const auto most = [&] {
    return guard::assess(observed.snapshot(), observed.history(), observed.limits())
        .domains[0]
        .reclaimable;
  };
  CHECK(most() == 200_MiB);
  observed.then(sample(1s, 2_GiB - 300_MiB, 700_MiB));
  CHECK(most() == 350_MiB);
}

TEST_CASE("domain_floor leaves 100 MiB unused") {
  const World world = World().domain("a", unused(150_MiB));
  const Decision d = decide(world, "a", 1_GiB - 60_MiB);
  CHECK(d.target == 1_GiB - 50_MiB);
  CHECK(rules_of(d) == Rules{Rule::domain_floor});
  CHECK(d.rules.front().why == "would leave 90 MiB unused; its floor is 100 MiB");
  CHECK(decide(world, "a", 1_GiB - 50_MiB).rules.empty());
}

TEST_CASE("domain_floor deducts what the balloon has taken since the guest's report") {
  const auto sample = [](Duration at, MemorySize has, MemorySize total, MemorySize left) {
    return World().at(at).domain("a", actual(has), guest_total(total), unused(left));
  };
  // A large guest shrinks for many seconds; its report is 600 MiB behind its balloon.
  Observed observed(sample(0s, 16_GiB, 15_GiB, 8_GiB));
  observed.then(sample(2s, 16_GiB, 15_GiB, 8_GiB));
  observed.moved("a", 12_GiB);
  observed.then(sample(4s, 14_GiB, 13_GiB + 600_MiB, 6_GiB + 600_MiB));
  CHECK(observed.situation().domains[0].headroom == 6_GiB);
  CHECK(observed.decide("a", 1_GiB).target == 11_GiB);
  observed.then(sample(6s, 14_GiB, 13_GiB, 6_GiB));
  CHECK(observed.situation().domains[0].headroom == 6_GiB);
}

TEST_CASE("domain_floor takes nothing from a domain at or under it") {
  for (const MemorySize left : {100_MiB, 99_MiB, 0_MiB}) {
    CAPTURE(left.text());
    CHECK(decide(World().domain("a", unused(left)), "a", 1_GiB - 1_KiB).holds());
  }
  CHECK(decide(World().domain("a", unused(100_MiB)), "a", 2_GiB).target == 2_GiB);
}

TEST_CASE("domain_floor follows a stricter --domain-floor and the chosen headroom") {
  Limits limits;
  limits.domain_floor = 256_MiB;
  CHECK(decide(World().domain("a", unused(300_MiB)), "a", 900_MiB, limits).target ==
        1_GiB - 44_MiB);
  const World cached = World().domain("a", unused(50_MiB), usable(600_MiB));
  const World old = World().domain("a", unused(50_MiB));
  limits = {};
  for (const Headroom kind : {Headroom::larger, Headroom::usable}) {
    limits.headroom = kind;
    CHECK(decide(cached, "a", 900_MiB, limits).target == 900_MiB);
    CHECK(decide(old, "a", 900_MiB, limits).holds());
  }
  limits.headroom = Headroom::unused;
  CHECK(decide(cached, "a", 900_MiB, limits).holds());
}

TEST_CASE("by default the larger of unused and usable is the headroom, whichever it is") {
  const World empty = World().domain("a", unused(300_MiB), usable(240_MiB));
  const World cached = World().domain("a", unused(40_MiB), usable(300_MiB));
  const World newest = World().domain("a", [](Domain& domain, DomainIdentity&) {
    domain.guest.unused.reset();
    domain.guest.usable = 300_MiB;
  });
  for (const World& world : {empty, cached, newest}) {
    const Decision d = decide(world, "a", 500_MiB);
    CHECK(d.target == 1_GiB - 150_MiB);
    CHECK(rules_of(d) == Rules{Rule::gradual});
  }
  const auto why = [](const World& world) { return decide(world, "a", 500_MiB).rules[0].why; };
  CHECK(why(empty).find("300 MiB unused") != std::string::npos);
  CHECK(why(cached).find("300 MiB usable") != std::string::npos);
}

TEST_CASE("a choice of headroom only makes the guard stricter than the default") {
  Limits limits;
  for (const MemorySize free : {0_MiB, 110_MiB, 400_MiB}) {
    for (const MemorySize can_be_had : {0_MiB, 60_MiB, 200_MiB, 900_MiB}) {
      const World world = World().domain("a", unused(free), usable(can_be_had));
      for (const Headroom kind : {Headroom::unused, Headroom::usable}) {
        limits.headroom = kind;
        CHECK(decide(world, "a", 100_MiB).target <= decide(world, "a", 100_MiB, limits).target);
      }
    }
  }
}

TEST_CASE("domain_floor keeps 32 MiB usable, however high the kernel's watermarks are") {
  // A large guest, whose kernel keeps 350 MiB of what is free for itself.
  const World large = World().domain("a", actual(8_GiB), unused(500_MiB), usable(150_MiB));
  for (const Headroom kind : {Headroom::larger, Headroom::unused}) {
    Limits limits;
    limits.headroom = kind;
    const Decision d = decide(large, "a", 7_GiB, limits);
    CHECK(d.target == 8_GiB - 118_MiB);
    CHECK(rules_of(d) == Rules{Rule::gradual, Rule::domain_floor});
    CHECK(d.rules[1].why.find("usable") != std::string::npos);
    CHECK(d.rules[1].why.find("32 MiB") != std::string::npos);
  }
  const Observed observed(large);
  CHECK(observed.situation().domains[0].reclaimable == 118_MiB);
  for (const MemorySize left : {32_MiB, 10_MiB, 0_MiB}) {
    CHECK(decide(World().domain("a", unused(500_MiB), usable(left)), "a", 900_MiB).holds());
  }
}

TEST_CASE("domain_floor deducts it from usable memory too") {
  const auto sample = [](Duration at, MemorySize has, MemorySize total, MemorySize can_be_had) {
    return World().at(at).domain("a", actual(has), guest_total(total), unused(7_GiB),
                                 usable(can_be_had));
  };
  // The report is 600 MiB behind the balloon.
  Observed observed(sample(0s, 16_GiB, 15_GiB, 3_GiB));
  observed.then(sample(2s, 16_GiB, 15_GiB, 3_GiB));
  observed.moved("a", 12_GiB);
  observed.then(sample(4s, 14_GiB, 13_GiB + 600_MiB, 700_MiB));
  CHECK(observed.decide("a", 1_GiB).target == 14_GiB - 68_MiB);
}

// --- the tables ---

namespace {

/// The rows of the tables of rules in docs/administration.md, "The guard", in order: the rule's
/// name and what it enforces.
std::vector<std::string> documented_rules() {
  std::ifstream page(std::string(MEMCOORD_SOURCE_TREE) + "/docs/administration.md");
  std::vector<std::string> rows;
  bool in_section = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) in_section = line == "## The guard";
    if (!in_section) continue;
    std::istringstream cells(line);
    std::string rule;
    std::string text;
    std::getline(cells, rule, '|');  // before the first bar
    std::getline(cells, rule, '|');
    std::getline(cells, text, '|');
    const bool names_rule = rule.size() > 4 && rule_from_text(rule.substr(2, rule.size() - 4));
    if (names_rule) rows.push_back(rule + "|" + text);
  }
  return rows;
}

std::vector<std::string> rules_in_code() {
  std::vector<std::string> rows;
  const auto add = [&](const auto& table) {
    for (const auto& entry : table) {
      rows.push_back(" `" + std::string(to_text(entry.rule)) + "` | " + std::string(entry.text) +
                     " ");
    }
  };
  add(guard::preconditions());
  add(guard::bounds());
  add(guard::shared_bounds());
  return rows;
}

}  // namespace

TEST_CASE("docs/administration.md lists the guard's rules in the order and words of its tables") {
  CHECK(documented_rules() == rules_in_code());
}

TEST_CASE("every rule stands once in a table, except the engine's own host_rescue and reserve") {
  CHECK(rules_in_code().size() == kRuleCount - 2);
}

TEST_CASE("a shrink to nothing takes exactly what is reclaimable") {
  const Snapshot world =
      World()
          .domain("floor", unused(150_MiB))
          .domain("half", unused(800_MiB))
          .domain("kernel", actual(8_GiB), unused(500_MiB), usable(150_MiB))
          .domain("minimum", unused(800_MiB), minimum(900_MiB))
          .domain("over its ceiling", actual(2_GiB), unused(1_GiB), ceiling(1_GiB))
          .domain("paused", unused(800_MiB), state(DomainState::paused))
          .domain("short", unused(50_MiB))
          .domain("skipped", no_report())
          .domain("starts", unused(800_MiB), started_ago(29s));
  const Observed observed(world);
  const Situation situation = observed.situation();
  for (const DomainView& view : situation.domains) {
    CAPTURE(view.domain.name());
    const Decision d = observed.decide(view.domain.name(), 1_KiB);
    CHECK(d.actual - d.target == view.reclaimable);
  }
}
