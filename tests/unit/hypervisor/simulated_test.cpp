#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "engine/hypervisor/simulated/simulated_hypervisor.h"

using namespace memcoord;
using namespace memcoord::simulated;
using namespace std::chrono_literals;

namespace {

/// A domain of 512 MiB on a host of 4 GiB. Its demand rises to `size` at 5 s, in one step.
Scenario one_domain(MemorySize size, MemorySize swap = MemorySize()) {
  Scenario scenario;
  ScenarioDomain domain;
  domain.name = "a";
  domain.maximum = 1_GiB;
  domain.initial = 512_MiB;
  domain.swap = swap;
  domain.demand = Plan({{0s, 20_MiB}, {5s, size}}, Plan::Shape::step);
  scenario.domains = {domain};
  return scenario;
}

struct Run {
  explicit Run(Scenario scenario) : hypervisor(std::move(scenario), clock) {}
  Domain domain_after(Duration time) {
    clock.sleep_for(time);
    return hypervisor.sample()->domains.front();
  }
  void set(MemorySize target) {
    const Domain now = hypervisor.sample()->domains.front();
    const Move move{now.uuid(), now.actual, target};
    CHECK(hypervisor.apply({&move, 1}).front().kind == Outcome::Kind::applied);
  }
  VirtualClock clock;
  SimulatedHypervisor hypervisor;
};

}  // namespace

TEST_CASE("a fresh guest of 512 MiB has the figures measured on a real one") {
  Run run(one_domain(20_MiB));
  const Domain domain = run.domain_after(2s);
  CHECK(domain.actual == 512_MiB);
  CHECK(domain.guest.available == 470_MiB);
  CHECK(domain.guest.unused == 410_MiB);
}

TEST_CASE("a balloon holds whole pages") {
  Run run(one_domain(20_MiB));
  run.domain_after(2s);
  run.set(412_MiB + 1_KiB);
  CHECK(run.domain_after(1s).actual == 412_MiB + 4_KiB);
  run.set(500_MiB + 4_KiB);
  CHECK(run.domain_after(1s).actual == 500_MiB + 4_KiB);
}

TEST_CASE("actual follows a move at once, the guest's figures follow with its next report") {
  Run run(one_domain(20_MiB));
  run.domain_after(2s);
  run.set(412_MiB);
  const Domain soon = run.domain_after(300ms);
  CHECK(soon.actual == 412_MiB);
  CHECK(soon.guest.unused == 410_MiB);
  const Domain later = run.domain_after(1s);
  CHECK(later.guest.unused == 310_MiB);
  CHECK(later.guest.available == 370_MiB);
}

TEST_CASE("memory on the processors' lists does not show, and is there for the workload") {
  Scenario scenario = one_domain(380_MiB);
  scenario.domains[0].demand = Plan({{0s, 20_MiB}, {7s, 380_MiB}}, Plan::Shape::step);
  scenario.model.processor_lists = 51_MiB;
  Run run(scenario);
  CHECK(run.domain_after(2s).guest.unused == 410_MiB);
  run.set(412_MiB);
  CHECK(run.domain_after(2s).guest.unused == 310_MiB);
  run.set(512_MiB);
  CHECK(run.domain_after(2s).guest.unused == 410_MiB - 51_MiB);
  CHECK(run.domain_after(3s).guest.unused == 50_MiB);
  const Guest& guest = run.hypervisor.host().domains().front().guest;
  CHECK(guest.score.oom_kills == 0);
  CHECK(guest.score.stalled_seconds == 0);
}

TEST_CASE("a balloon fills at its rate, and never with the workload's memory") {
  Run run(one_domain(300_MiB));
  run.domain_after(8s);
  run.set(100_MiB);
  const Domain domain = run.domain_after(5s);
  CHECK(domain.actual > 390_MiB);
  CHECK(domain.actual < 460_MiB);
}

TEST_CASE("without swap, the OOM killer ends a workload whose demand does not fit") {
  Run run(one_domain(450_MiB));
  run.domain_after(8s);
  CHECK(run.hypervisor.host().domains().front().guest.score.oom_kills == 1);
  const auto notes = run.hypervisor.drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().text == "a: its OOM killer ended the workload");
  CHECK(run.hypervisor.drain_notes().empty());
}

TEST_CASE("a workload that is killed has taken all memory first, which the host still backs") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].demand = Plan({{0s, 20_MiB}, {5s, 4_GiB}}, Plan::Shape::step);
  Run run(scenario);
  const Domain before = run.domain_after(4s);
  const Domain after = run.domain_after(4s);
  REQUIRE(run.hypervisor.host().domains().front().guest.score.oom_kills == 1);
  CHECK(*before.rss < before.actual / 2);
  CHECK(*after.rss >= after.actual);
  CHECK(*after.guest.unused >= *before.guest.unused);
  CHECK(*after.guest.minor_faults - *before.guest.minor_faults > 80'000);
}

TEST_CASE("a workload that is killed again and again counts once until it has run for a minute") {
  Run run(one_domain(450_MiB));
  const auto kills = [&] { return run.hypervisor.host().domains().front().guest.score.oom_kills; };
  run.domain_after(60s);
  CHECK(kills() == 1);
}

TEST_CASE("a kill after a minute without one counts as another") {
  Scenario scenario = one_domain(450_MiB);
  scenario.domains[0].demand = Plan(
      {{0s, 20_MiB}, {5s, 450_MiB}, {8s, 20_MiB}, {70s, 450_MiB}, {73s, 20_MiB}, {150s, 450_MiB}},
      Plan::Shape::step);
  Run run(scenario);
  run.domain_after(100s);
  // The workload came back at 15 s, and was killed again 55 s later.
  CHECK(run.hypervisor.host().domains().front().guest.score.oom_kills == 1);
  run.domain_after(60s);
  CHECK(run.hypervisor.host().domains().front().guest.score.oom_kills == 2);
}

TEST_CASE("while the host is out of memory, its largest guests count as stalled") {
  Scenario scenario = one_domain(800_MiB);
  scenario.host_total = 1_GiB;
  scenario.domains[0].initial = 1_GiB;
  scenario.domains.push_back(scenario.domains[0]);
  scenario.domains[1].name = "b";
  scenario.domains[1].demand = Plan({{0s, 100_MiB}}, Plan::Shape::step);
  SimulatedHost host(scenario);
  host.advance_to(25s, WallTime());
  host.settle();
  CHECK(host.score().oom_kills == 1);
  const auto stalled = [&](std::size_t i) { return host.domains()[i].guest.score.stalled_seconds; };
  CHECK(stalled(0) > 18);
  CHECK(stalled(0) <= 20);
  CHECK(stalled(1) == 0);
}

TEST_CASE("a moment without memory counts, however rarely a run looks at the host") {
  Scenario scenario = one_domain(380_MiB);
  scenario.host_total = 300_MiB + 800_MiB;
  scenario.domains.push_back(scenario.domains[0]);
  scenario.domains[1].name = "b";
  scenario.domains[1].touched = true;
  scenario.domains[1].demand = Plan({{0s, 20_MiB}}, Plan::Shape::step);
  for (const Duration between : {Duration(100ms), Duration(1s), Duration(5s)}) {
    SimulatedHost host(scenario);
    host.advance_to(5s, WallTime());
    const Domain giver = host.snapshot_at({}, {}).domains[1];
    // "a" touches 360 MiB at once, while the balloon of "b" takes as much in half a second.
    host.set_target({giver.uuid(), giver.actual, 112_MiB});
    for (Duration at = 5s; at <= 10s; at += between) host.advance_to(at, WallTime());
    CHECK(host.score().oom_kills == 1);
    CHECK(*host.snapshot_at({}, {}).host.available > 100_MiB);
  }
}

TEST_CASE("with swap, a workload whose demand does not fit stalls, and the statistics show it") {
  Run run(one_domain(450_MiB, 1_GiB));
  const Domain domain = run.domain_after(10s);
  const auto& score = run.hypervisor.host().domains().front().guest.score;
  CHECK(score.oom_kills == 0);
  CHECK(score.stalled_seconds > 3);
  CHECK(*domain.guest.swap_out > 0_MiB);
  run.set(1_GiB);
  run.domain_after(10s);
  const double stalled = score.stalled_seconds;
  run.domain_after(10s);
  CHECK(score.stalled_seconds == stalled);
}

TEST_CASE("guests that are paused, hung or without a driver report as real ones do") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].faults = {{Fault::Kind::paused, 4s, 6s}, {Fault::Kind::hung, 8s, 10s}};
  Run run(scenario);
  CHECK(run.domain_after(3s).state == DomainState::running);
  CHECK(run.domain_after(2s).state == DomainState::paused);
  const Domain hung = run.domain_after(4s);
  CHECK(hung.state == DomainState::hung);
  CHECK_FALSE(hung.guest.unused.has_value());
  CHECK(run.domain_after(3s).state == DomainState::running);

  scenario.domains[0].faults.clear();
  scenario.domains[0].driver = false;
  Run driverless(scenario);
  driverless.domain_after(2s);
  driverless.set(256_MiB);
  const Domain domain = driverless.domain_after(5s);
  CHECK(domain.actual == 512_MiB);
  CHECK_FALSE(domain.guest.last_update.has_value());
}

TEST_CASE("domains start and stop when their scenario says so") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].start = 10s;
  scenario.domains[0].stop = 20s;
  Run run(scenario);
  CHECK(run.hypervisor.sample()->domains.empty());
  const Domain domain = run.domain_after(12s);
  CHECK(domain.started_at.has_value());
  run.clock.sleep_for(10s);
  CHECK(run.hypervisor.sample()->domains.empty());
}

TEST_CASE("the same scenario gives the same figures in every run, whatever the time steps") {
  const auto figures = [](Duration step) {
    Run run(one_domain(300_MiB, 1_GiB));
    Domain last;
    for (Duration t{}; t < 20s; t += step) last = run.domain_after(step);
    return last;
  };
  const Domain a = figures(1s);
  const Domain b = figures(1s);
  const Domain c = figures(2s);
  CHECK(a.guest == b.guest);
  CHECK(a.guest.unused == c.guest.unused);
  CHECK(a.rss == c.rss);
}

TEST_CASE("a guest under way has all of its memory backed, a fresh one only what it has touched") {
  Scenario fresh = one_domain(20_MiB);
  Scenario under_way = fresh;
  under_way.domains[0].touched = true;
  CHECK(Run(under_way).domain_after(1s).rss == 512_MiB + 30_MiB);
  CHECK(Run(fresh).domain_after(1s).rss == 102_MiB + 30_MiB);
}

TEST_CASE("a guest has what it has used before backed, at least what it uses") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].backed = 200_MiB;
  CHECK(Run(scenario).domain_after(1s).rss == 200_MiB + 30_MiB);
  scenario.domains[0].backed = 50_MiB;
  CHECK(Run(scenario).domain_after(1s).rss == 102_MiB + 30_MiB);
}

TEST_CASE("a guest's unused memory may be backed in part, whatever it uses") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].backed_unused = Plan({{0s, 40_MiB}}, Plan::Shape::step);
  CHECK(Run(scenario).domain_after(1s).rss == 102_MiB + 40_MiB + 30_MiB);
  scenario.domains[0].demand = Plan({{0s, 600_MiB}}, Plan::Shape::step);
  scenario.domains[0].swap = 1_GiB;
  scenario.domains[0].backed_unused = Plan({{0s, 1_GiB}}, Plan::Shape::step);
  CHECK(Run(scenario).domain_after(1s).rss == 512_MiB + 30_MiB);
}

TEST_CASE("fresh pages are touched at a rate") {
  Scenario scenario = one_domain(300_MiB);
  scenario.model.touch_rate = 100_MiB;
  Run run(scenario);
  CHECK(run.domain_after(6s).rss == 102_MiB + 100_MiB + 30_MiB);
  CHECK(run.domain_after(5s).rss == 382_MiB + 30_MiB);
}

TEST_CASE("a guest's QEMU may be larger than the model's") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].touched = true;
  scenario.domains[0].process_overhead = 250_MiB;
  CHECK(Run(scenario).domain_after(1s).rss == 762_MiB);
}

TEST_CASE(
    "a guest on hugepages uses its QEMU's memory alone of the host, and no balloon serves it") {
  Scenario scenario = one_domain(300_MiB);
  scenario.host_hugepages = 1_GiB;
  scenario.domains[0].hugepages = true;
  Run run(scenario);
  const Domain domain = run.domain_after(10s);
  CHECK(domain.rss == 30_MiB);
  CHECK(domain.identity->backing.hugepages);
  CHECK_FALSE(domain.identity->unsuitable.empty());
  CHECK(run.hypervisor.sample()->host.free == 4_GiB - 300_MiB - 1_GiB - 30_MiB);
}

TEST_CASE("the host's own use and what KSM saves vary as the scenario says") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].touched = true;
  scenario.host_use = Plan({{0s, 0_MiB}, {10s, 1_GiB}}, Plan::Shape::step);
  scenario.host_merged = Plan({{0s, 200_MiB}, {20s, 0_MiB}}, Plan::Shape::step);
  Run run(scenario);
  const auto host_after = [&](Duration time) {
    run.domain_after(time);
    return run.hypervisor.sample()->host;
  };
  const MemorySize left = 4_GiB - 300_MiB - 542_MiB;
  CHECK(host_after(5s).free == left + 200_MiB);
  CHECK(host_after(0s).merged == 200_MiB);
  CHECK(host_after(10s).free == left + 200_MiB - 1_GiB);
  CHECK(host_after(10s).free == left - 1_GiB);
  CHECK(host_after(0s).merged == 0_MiB);
}

TEST_CASE("a host that lacks memory uses its swap") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].touched = true;
  scenario.host_swap = 2_GiB;
  scenario.host_use = Plan({{0s, 0_MiB}, {10s, 4_GiB}}, Plan::Shape::step);
  Run run(scenario);
  run.domain_after(5s);
  CHECK(run.hypervisor.sample()->host.swap_free == 2_GiB);
  run.domain_after(10s);
  const Host host = run.hypervisor.sample()->host;
  CHECK(host.free == 0_MiB);
  CHECK(host.swap_free == 2_GiB - 300_MiB - 542_MiB);
}

TEST_CASE("a stuck balloon accepts targets and stays where it is, until it moves again") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].faults = {{Fault::Kind::stuck, 1s, 6s}};
  Run run(scenario);
  run.domain_after(2s);
  run.set(412_MiB);
  const Domain stuck = run.domain_after(2s);
  CHECK(stuck.actual == 512_MiB);
  CHECK(stuck.guest.unused == 410_MiB);
  CHECK(run.domain_after(4s).actual == 412_MiB);
}

TEST_CASE("the balloon of a guest with 64 KiB pages stops up to one page under its target") {
  Scenario scenario = one_domain(20_MiB);
  scenario.domains[0].page = 64_KiB;
  Run run(scenario);
  run.domain_after(1s);
  run.set(600_MiB + 60_KiB);
  CHECK(run.domain_after(1s).actual == 600_MiB);
}

TEST_CASE("faulty drivers report garbage, or what they counted since the last report") {
  Scenario scenario = one_domain(900_MiB, 1_GiB);
  const auto swapped_by = [](const Scenario& played, Duration time) {
    Run run(played);
    return run.domain_after(time).guest.swap_out.value_or(MemorySize());
  };
  const MemorySize all = swapped_by(scenario, 8s);
  CHECK(all > 100_MiB);
  scenario.domains[0].faults = {{Fault::Kind::garbage, 7s, 9s}};
  CHECK(swapped_by(scenario, 6s) < 1_GiB);
  CHECK(swapped_by(scenario, 8s) > MemorySize::from_kib(std::uint64_t{1} << 53U));
  scenario.domains[0].faults = {{Fault::Kind::per_report, 0s, 9s}};
  CHECK(swapped_by(scenario, 8s) < all);
}

TEST_CASE("the memory of bound domains lies on their node, and the rest where there is room") {
  Scenario scenario = one_domain(20_MiB);
  scenario.host_total = 4_GiB;
  scenario.host_nodes = {1_GiB, 3_GiB};
  scenario.host_base = MemorySize();
  scenario.domains[0].nodes = {0};
  scenario.domains[0].touched = true;
  scenario.domains[0].free_page_reporting = false;
  ScenarioDomain elsewhere = scenario.domains[0];
  elsewhere.name = "b";
  elsewhere.nodes = {};
  scenario.domains.push_back(elsewhere);
  Run run(scenario);
  run.clock.sleep_for(1s);
  const Snapshot snapshot = *run.hypervisor.sample();
  REQUIRE(snapshot.host.cells.size() == 2);
  // Each domain takes 512 MiB and 30 MiB of its QEMU. Before the unbound one is spread, node 0 has
  // 482 MiB left and node 1 3072 MiB.
  const MemorySize others = (542_MiB).scaled(482.0 / 3554);
  CHECK(snapshot.host.cells[0].free.mib() == doctest::Approx((482_MiB - others).mib()));
  CHECK(snapshot.host.cells[0].free + snapshot.host.cells[1].free <= *snapshot.host.available);
  CHECK(snapshot.domains[0].identity->bound_to == std::vector<NodeBinding>{{{0}}});
  CHECK(snapshot.domains[1].identity->bound_to.empty());
}

TEST_CASE("a node whose domains need more than it has is out of memory, whatever the other has") {
  Scenario scenario = one_domain(800_MiB);
  scenario.host_nodes = {512_MiB, 3584_MiB};
  scenario.domains[0].initial = 1_GiB;
  const auto kills = [&](NodeSet nodes) {
    scenario.domains[0].nodes = std::move(nodes);
    SimulatedHost host(scenario);
    host.advance_to(10s, WallTime());
    return host.score().oom_kills;
  };
  CHECK(kills({0}) == 1);
  CHECK(kills({1}) == 0);
  CHECK(kills({}) == 0);
}

namespace {

/// Asks the only domain for a report.
void ask(Run& run, Duration patience = 100ms) {
  const Uuid uuid = run.hypervisor.sample()->domains.front().uuid();
  run.hypervisor.refresh({&uuid, 1}, patience);
}

}  // namespace

TEST_CASE("a guest that is asked reports its present figures at once") {
  Run run(one_domain(20_MiB));
  run.domain_after(2s);
  run.set(412_MiB);
  CHECK(run.domain_after(300ms).guest.unused == 410_MiB);
  SUBCASE("without patience it has no time to") {
    ask(run, 1ms);
    CHECK(run.domain_after(0s).guest.unused == 410_MiB);
  }
  SUBCASE("its next report comes a period later") {
    ask(run);
    const Domain asked = run.domain_after(0s);
    CHECK(asked.guest.unused == 310_MiB);
    CHECK(run.domain_after(900ms).guest.last_update == asked.guest.last_update);
    CHECK(*run.domain_after(200ms).guest.last_update == *asked.guest.last_update + 1s);
  }
}

TEST_CASE("a guest that is asked reports no more than it can") {
  using Kind = Fault::Kind;
  for (const Kind kind : {Kind::silent, Kind::paused, Kind::hung}) {
    Scenario scenario = one_domain(100_MiB);
    scenario.domains[0].faults = {{kind, 4s, 8s}};
    Run run(scenario);
    run.domain_after(6400ms);
    const GuestStatistics& report = run.hypervisor.host().domains().front().report;
    const GuestStatistics before = report;
    ask(run);
    CHECK(report == before);
  }
  Scenario driverless = one_domain(100_MiB);
  driverless.domains[0].driver = false;
  Run run(driverless);
  run.domain_after(2s);
  ask(run);
  CHECK_FALSE(run.domain_after(0s).guest.last_update.has_value());
  Scenario garbage = one_domain(20_MiB);
  garbage.domains[0].faults = {{Kind::garbage, 0s, 60s}};
  Run lies(garbage);
  lies.domain_after(1500ms);
  ask(lies);
  CHECK(lies.domain_after(0s).guest.swap_in > 1024_GiB);
}
