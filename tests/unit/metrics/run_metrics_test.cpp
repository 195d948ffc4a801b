// The value of each family, in worlds of a line or two.

#include <doctest/doctest.h>

#include <cstdint>
#include <set>

#include "tests/text.h"
#include "tests/unit/metrics/metrics_text.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;
using metrics::Domains;
using metrics::Format;

namespace {

Tick failed_tick() {
  Tick tick;
  tick.policy = "adaptive";
  tick.sample_error = Error{ErrorCode::unavailable, "libvirt", "is gone", {}, {}};
  return tick;
}

Tick tick_with(const Decision& decision) {
  Tick tick = tick_of(World().host(8_GiB).domain("a"));
  tick.decisions = {decision};
  return tick;
}

Tick tick_with(const Outcome& outcome) {
  Tick tick = tick_of(World().host(8_GiB).domain("a"));
  tick.outcomes = {outcome};
  return tick;
}

}  // namespace

TEST_CASE("a run without a tick has its version and interval, and is neither up nor ready") {
  const MetricsAfter run{};
  CHECK(run.value("build_info{version=\"0.9\"}") == "1");
  CHECK(run.value("interval_seconds") == "2");
  CHECK(run.value("up") == "0");
  CHECK(run.value("ready") == "0");
  CHECK(run.value("ticks_total{result=\"ok\"}") == "0");
  CHECK(!contains(run.text(), "memcoord_last_tick_timestamp_seconds"));
  CHECK(!contains(run.text(), "memcoord_dry_run"));
}

TEST_CASE("a tick that worked makes a run up and ready") {
  const MetricsAfter run{tick_of(World().host(8_GiB))};
  CHECK(run.value("up") == "1");
  CHECK(run.value("ready") == "1");
  CHECK(run.value("dry_run") == "0");
  CHECK(run.value("fallback_active") == "0");
  CHECK(run.value("policy_info{policy=\"adaptive\"}") == "1");
  CHECK(run.value("last_tick_timestamp_seconds") == "1700000000.123");
}

TEST_CASE("dry run and a fallback policy that decides are those of the newest tick") {
  Tick tick = tick_of(World().host(8_GiB));
  tick.dry_run = true;
  tick.fallback = "careful";
  CHECK(MetricsAfter{tick}.value("dry_run") == "1");
  CHECK(MetricsAfter{tick}.value("fallback_active") == "1");
  CHECK(MetricsAfter{tick, tick_of(World())}.value("dry_run") == "0");
  CHECK(MetricsAfter{tick, tick_of(World())}.value("fallback_active") == "0");
}

TEST_CASE("ticks count by result") {
  Tick policy_failed = tick_of(World().host(8_GiB));
  policy_failed.policy_error = Error{ErrorCode::policy_failed, "a.lua", "broke", {}, {}};
  CHECK(MetricsAfter{policy_failed}.value("ready") == "0");
  const MetricsAfter run{failed_tick(), policy_failed, policy_failed, tick_of(World())};
  CHECK(run.value("ticks_total{result=\"ok\"}") == "1");
  CHECK(run.value("ticks_total{result=\"sample_error\"}") == "1");
  CHECK(run.value("ticks_total{result=\"policy_error\"}") == "2");
  CHECK(run.value("ready") == "1");
}

TEST_CASE("a tick without a sample leaves the figures of the host and of domains out") {
  const MetricsAfter run{tick_of(World().host(8_GiB).domain("a")), failed_tick()};
  CHECK(run.value("up") == "0");
  CHECK(run.value("ready") == "1");
  CHECK(run.value("last_tick_timestamp_seconds") == "1700000000.123");
  CHECK(!contains(run.text(), "memcoord_host_"));
  CHECK(!contains(run.text(), "memcoord_domain"));
}

TEST_CASE("the record of a restoration is no tick") {
  Tick restoring = tick_of(World().host(8_GiB));
  restoring.restoring = true;
  const MetricsAfter run{restoring};
  CHECK(run.value("ticks_total{result=\"ok\"}") == "0");
  CHECK(run.value("up") == "0");
}

TEST_CASE("a stage's times are a histogram, of a failed tick only the sample's") {
  Tick tick = tick_of(World());
  tick.timings = {30ms, 100us, 0us, 3s};
  Tick failed = failed_tick();
  failed.timings.sample = 500ms;
  const MetricsAfter run{tick, failed};
  const auto stage = [&](const std::string& suffix, const std::string& labels) {
    return run.value("tick_stage_duration_seconds_" + suffix + "{stage=" + labels + "}");
  };
  CHECK(stage("count", "\"sample\"") == "2");
  CHECK(stage("sum", "\"sample\"") == "0.53");
  CHECK(stage("bucket", "\"sample\",le=\"0.01\"") == "0");
  CHECK(stage("bucket", "\"sample\",le=\"0.05\"") == "1");
  CHECK(stage("bucket", "\"sample\",le=\"0.5\"") == "2");
  CHECK(stage("bucket", "\"decide\",le=\"0.0001\"") == "1");
  CHECK(stage("count", "\"decide\"") == "1");
  CHECK(stage("bucket", "\"apply\",le=\"2.5\"") == "0");
  CHECK(stage("bucket", "\"apply\",le=\"+Inf\"") == "1");
}

TEST_CASE("the run tells of skipped ticks, reloads, the journal and connections") {
  MetricsAfter run{};
  run.metrics.count_skipped_ticks(3);
  run.metrics.count_skipped_ticks(2);
  run.metrics.count_reload(true);
  run.metrics.count_reload(false);
  run.metrics.count_reload(false);
  run.metrics.set_journal_lost_ticks(4);
  run.metrics.set_connections({6, 1});
  CHECK(run.value("ticks_skipped_total") == "5");
  CHECK(run.value("policy_reloads_total{result=\"ok\"}") == "1");
  CHECK(run.value("policy_reloads_total{result=\"failed\"}") == "2");
  CHECK(run.value("journal_lost_ticks_total") == "4");
  CHECK(run.value("connections{state=\"open\"}") == "6");
  CHECK(run.value("connections{state=\"abandoned\"}") == "1");
}

TEST_CASE("the host's figures are those of the sample and of the guard") {
  Tick tick = tick_of(World().host(8_GiB, free(2_GiB), available(3_GiB), swap_free(512_MiB)));
  tick.grantable = 700_MiB;
  tick.account = {900_MiB, 5_GiB, 1_GiB, 20_MiB, 300_MiB, 400_MiB};
  tick.limits.host_memory = 6_GiB;
  tick.limits.host_floor = 256_MiB;
  const MetricsAfter run{tick};
  CHECK(run.value("host_memory_bytes") == "8589934592");
  CHECK(run.mib("host_free_bytes") == 2048);
  CHECK(run.mib("host_available_bytes") == 3072);
  CHECK(run.mib("host_swap_free_bytes") == 512);
  CHECK(run.mib("host_budget_bytes") == 6144);
  CHECK(run.mib("host_floor_bytes") == 256);
  CHECK(run.mib("host_grantable_bytes") == 700);
  CHECK(run.mib("host_headroom_bytes") == 900);
  CHECK(run.mib("host_committed_bytes") == 5120);
  CHECK(run.mib("host_unbacked_bytes") == 1024);
  CHECK(run.mib("host_shortfall_bytes") == 20);
  CHECK(run.mib("host_reclaimable_bytes") == 300);
}

TEST_CASE("the headroom is there by the time that it takes, and what is reserved beside it") {
  Tick tick = tick_of(World().host(8_GiB, free(4_GiB)));
  tick.grantable = 700_MiB;
  tick.account.reclaimable = 300_MiB;
  tick.account.reclaimable_in_all = 400_MiB;
  tick.account.reserved = 50_MiB;
  const MetricsAfter run{tick};
  // A tick every two seconds takes nothing within one.
  CHECK(run.mib("headroom_bytes{within=\"0\"}") == 700);
  CHECK(run.mib("headroom_bytes{within=\"1\"}") == 700);
  CHECK(run.mib("headroom_bytes{within=\"10\"}") > 1099);
  CHECK(run.mib("headroom_bytes{within=\"all\"}") == 1100);
  CHECK(run.mib("host_reserved_bytes") == 50);
}

TEST_CASE("figures of the host that are not known are left out") {
  Tick tick = tick_of(World().host(8_GiB));
  tick.snapshot.host.available.reset();
  tick.snapshot.host.swap_free.reset();
  const std::string text = MetricsAfter{tick}.text();
  CHECK(!contains(text, "memcoord_host_available_bytes"));
  CHECK(!contains(text, "memcoord_host_swap_free_bytes"));
  CHECK(!contains(text, "memcoord_host_budget_bytes"));
}

TEST_CASE("domains count by state and by the reason why they are skipped") {
  Tick tick = tick_of(World()
                          .domain("a")
                          .domain("b", state(DomainState::shutting_down))
                          .domain("c", no_report())
                          .domain("d")
                          .domain("e", excluded()));
  tick.skipped = {{id("b"), Rule::running_only, "is shutting down"},
                  {id("c"), Rule::fresh_stats, "its guest reports no statistics"},
                  {id("d"), {}, "paused by root"},
                  {id("e"), {}, "excluded by its settings"}};
  const MetricsAfter run{tick};
  CHECK(run.value("domains{state=\"running\"}") == "4");
  CHECK(run.value("domains{state=\"shutting_down\"}") == "1");
  CHECK(run.value("domains{state=\"hung\"}") == "0");
  for (const char* rule : {"running_only", "fresh_stats", "paused", "excluded"}) {
    CHECK(run.value("domains_skipped{rule=\"" + std::string(rule) + "\"}") == "1");
  }
  CHECK(run.value("domain_skipped{domain=\"a\"}") == "0");
  CHECK(run.value("domain_skipped{domain=\"d\"}") == "1");
}

TEST_CASE("proposals count by direction, and rules each time they limit one") {
  const MetricsAfter run{
      tick_with(
          Decision{id("a"), 2_GiB, 1_GiB, 1648_MiB, "", {{Rule::gradual, 1_GiB, 1648_MiB, ""}}}),
      tick_with(Decision{id("a"), 2_GiB, 1_GiB, 1_GiB, "", {}}),
      tick_with(Decision{id("a"), 1_GiB, 2_GiB, 2_GiB, "", {}}),
      tick_with(Decision{id("a"), 1_GiB, 1_GiB, 1_GiB, "", {}}),
      tick_with(Decision{id("gone"), {}, 1_GiB, {}, "", {{Rule::sane_target, 1_GiB, {}, ""}}})};
  CHECK(run.value("proposals_total{direction=\"shrink\"}") == "2");
  CHECK(run.value("proposals_total{direction=\"grow\"}") == "1");
  CHECK(run.value("guard_interventions_total{rule=\"gradual\"}") == "1");
  CHECK(run.value("guard_interventions_total{rule=\"sane_target\"}") == "1");
  CHECK(run.value("guard_interventions_total{rule=\"host_floor\"}") == "0");
}

TEST_CASE("moves count by direction and outcome, and applied ones by their size") {
  const MetricsAfter run{tick_with(Outcome{id("a"), 2_GiB, 1_GiB, Outcome::Kind::applied, {}}),
                         tick_with(Outcome{id("a"), 1_GiB, 1280_MiB, Outcome::Kind::failed, {}}),
                         tick_with(Outcome{id("a"), 1_GiB, 1280_MiB, Outcome::Kind::dry_run, {}})};
  CHECK(run.value("moves_total{direction=\"shrink\",outcome=\"applied\"}") == "1");
  CHECK(run.value("moves_total{direction=\"grow\",outcome=\"failed\"}") == "1");
  CHECK(run.value("moves_total{direction=\"grow\",outcome=\"dry_run\"}") == "1");
  CHECK(run.mib("moved_bytes_total{direction=\"shrink\"}") == 1024);
  CHECK(run.mib("moved_bytes_total{direction=\"grow\"}") == 0);
}

TEST_CASE("a move whose answer comes late counts as unknown, then by its outcome") {
  Tick late = tick_of(World().domain("a"));
  late.late_outcomes = {{id("a"), 1_GiB, 1280_MiB, Outcome::Kind::applied, {}}};
  const MetricsAfter run{tick_with(Outcome{id("a"), 1_GiB, 1280_MiB, Outcome::Kind::unknown, {}}),
                         late};
  CHECK(run.value("moves_total{direction=\"grow\",outcome=\"unknown\"}") == "1");
  CHECK(run.value("moves_total{direction=\"grow\",outcome=\"applied\"}") == "1");
  CHECK(run.mib("moved_bytes_total{direction=\"grow\"}") == 256);
}

TEST_CASE("a domain's figures are those of the sample") {
  Tick tick =
      tick_of(World().domain("a", actual(2_GiB), maximum(4_GiB), rss(1_GiB), unused(300_MiB),
                             usable(500_MiB), swapped(3_MiB, 4_MiB), weight(2.5)));
  tick.snapshot.domains[0].guest.major_faults = 77;
  tick.snapshot.domains[0].guest.last_update = WallTime(1'700'000'000s);
  const MetricsAfter run{tick};
  CHECK(run.mib("domain_actual_bytes{domain=\"a\"}") == 2048);
  CHECK(run.mib("domain_maximum_bytes{domain=\"a\"}") == 4096);
  CHECK(run.mib("domain_rss_bytes{domain=\"a\"}") == 1024);
  CHECK(run.mib("domain_unused_bytes{domain=\"a\"}") == 300);
  CHECK(run.mib("domain_usable_bytes{domain=\"a\"}") == 500);
  CHECK(run.mib("domain_headroom_bytes{domain=\"a\"}") == 500);
  CHECK(run.mib("domain_swap_in_bytes_total{domain=\"a\"}") == 3);
  CHECK(run.mib("domain_swap_out_bytes_total{domain=\"a\"}") == 4);
  CHECK(run.value("domain_major_faults_total{domain=\"a\"}") == "77");
  CHECK(run.value("domain_report_timestamp_seconds{domain=\"a\"}") == "1700000000");
  CHECK(run.value("domain_info{domain=\"a\",uuid=\"" + id("a").text() +
                  "\",weight=\"2.5\",priority=\"0\"}") == "1");
}

TEST_CASE("a domain's headroom is by the run's metric") {
  Tick tick = tick_of(World().domain("a", unused(300_MiB), usable(500_MiB)));
  tick.limits.headroom = Headroom::unused;
  CHECK(MetricsAfter{tick}.mib("domain_headroom_bytes{domain=\"a\"}") == 300);
}

TEST_CASE("a domain's target is the size last decided since its start") {
  const auto decided = [](int started_as) {
    Tick tick = tick_of(World().domain("a", actual(2_GiB), numbered(started_as)));
    tick.decisions = {{id("a"), 2_GiB, 1_GiB, 1648_MiB, "", {}}};
    return tick;
  };
  const auto undecided = [](int started_as) {
    return tick_of(World().domain("a", actual(2_GiB), numbered(started_as)));
  };
  const auto target = [](const MetricsAfter& run) {
    return run.mib("domain_target_bytes{domain=\"a\"}");
  };
  CHECK(target({undecided(1)}) == -1);
  CHECK(target({decided(1)}) == 1648);
  CHECK(target({decided(1), undecided(1)}) == 1648);
  CHECK(target({decided(1), undecided(2)}) == -1);
}

TEST_CASE(
    "a guest that stops reporting, hangs or never reported has a report's time, others do not") {
  const auto reported_at = [](const MetricsAfter& run) {
    return run.value("domain_report_timestamp_seconds{domain=\"a\"}");
  };
  const auto tick_in = [](DomainState of, std::optional<WallTime> report = {}) {
    Tick tick = tick_of(World().domain("a", state(of)));
    tick.snapshot.domains[0].guest.last_update = report;
    return tick;
  };
  const Tick reporting = tick_in(DomainState::running, WallTime(1'700'000'000s));
  CHECK(reported_at({reporting, tick_in(DomainState::running)}) == "1700000000");
  CHECK(reported_at({reporting, tick_in(DomainState::hung)}) == "1700000000");
  CHECK(reported_at({tick_in(DomainState::running)}) == "0");
  CHECK(reported_at({reporting, tick_in(DomainState::paused)}).empty());
  Tick excluded = reporting;
  excluded.skipped = {{id("a"), Rule::sane_target, "is excluded"}};
  CHECK(reported_at({excluded}).empty());
}

TEST_CASE("the past of domains that have gone is forgotten") {
  Tick tick = tick_of(World().domain("a", actual(2_GiB)));
  CHECK(MetricsAfter{tick}.metrics.remembered() == 1);
  CHECK(MetricsAfter{tick, tick_of(World())}.metrics.remembered() == 0);
}

TEST_CASE("the figures of a hung domain are left out") {
  const MetricsAfter run{tick_of(
      World().domain("a", state(DomainState::hung), actual(2_GiB), rss(1_GiB)).domain("b"))};
  CHECK(run.value("domains{state=\"hung\"}") == "1");
  CHECK(run.value("domain_skipped{domain=\"a\"}") == "0");
  CHECK(contains(run.text(), "memcoord_domain_info{domain=\"a\""));
  for (const char* family : {"actual", "maximum", "rss", "unused", "usable", "headroom"}) {
    CAPTURE(family);
    CHECK(run.mib("domain_" + std::string(family) + "_bytes{domain=\"a\"}") == -1);
  }
  CHECK(run.mib("domain_actual_bytes{domain=\"b\"}") == 1024);
}

TEST_CASE("the figures of a report that is too old are left out, its time is not") {
  Tick tick = tick_of(World()
                          .domain("a", unused(300_MiB), usable(500_MiB), swapped(3_MiB, 4_MiB))
                          .domain("b", unused(300_MiB)));
  tick.not_reporting = {id("a")};
  const MetricsAfter run{tick};
  for (const char* family : {"unused", "usable", "headroom"}) {
    CAPTURE(family);
    CHECK(run.mib("domain_" + std::string(family) + "_bytes{domain=\"a\"}") == -1);
  }
  CHECK(run.value("domain_swap_in_bytes_total{domain=\"a\"}").empty());
  CHECK(!run.value("domain_report_timestamp_seconds{domain=\"a\"}").empty());
  CHECK(run.mib("domain_actual_bytes{domain=\"a\"}") == 1024);
  CHECK(run.mib("domain_unused_bytes{domain=\"b\"}") == 300);
}

TEST_CASE("every change of the metrics has a revision of its own") {
  MetricsAfter run{};
  std::set<std::uint64_t> revisions{run.metrics.revision()};
  const auto add = [&] { revisions.insert(run.metrics.revision()); };
  add();
  CHECK(revisions.size() == 1);
  run.metrics.observe(tick_of(World()));
  add();
  run.metrics.count_skipped_ticks(1);
  add();
  run.metrics.count_reload(true);
  add();
  run.metrics.set_journal_lost_ticks(1);
  add();
  run.metrics.set_connections({});
  add();
  CHECK(revisions.size() == 6);
}

TEST_CASE("without the metrics of domains, only the host's and the run's are left") {
  const MetricsAfter run{tick_of(World().host(8_GiB).domain("web"))};
  const std::string text = run.metrics.text(Format::prometheus, Domains::off);
  CHECK(!contains(text, "web"));
  CHECK(!contains(text, "memcoord_domain_"));
  CHECK(contains(text, "memcoord_domains{state=\"running\"} 1\n"));
  CHECK(contains(text, "memcoord_host_memory_bytes 8589934592\n"));
}

TEST_CASE("the state of the host is one of three, and absent without a sample") {
  Tick tick = tick_of(World().host(8_GiB, free(2_GiB)).domain("a", unused(500_MiB)));
  tick.grantable = 1_GiB;
  const auto states_after = [](std::initializer_list<Tick> ticks) {
    const MetricsAfter run(ticks);
    return run.value("host_state{state=\"fine\"}") + run.value("host_state{state=\"tight\"}") +
           run.value("host_state{state=\"short\"}");
  };
  CHECK(states_after({tick}) == "100");
  Tick tight = tick;
  tight.grantable = 100_MiB;
  CHECK(states_after({tick, tight}) == "010");
  Tick under_its_floor = tick;
  under_its_floor.snapshot.host.free = 100_MiB;
  CHECK(states_after({tick, under_its_floor}) == "001");
  CHECK(states_after({tick, failed_tick()}).empty());
}

TEST_CASE(
    "a guest that swaps on a host without memory makes the host short from the second tick on") {
  const auto tick_after = [](MemorySize read_back) {
    Tick tick = tick_of(World().host(8_GiB, free(2_GiB)).domain("a", swapped(read_back, 1_MiB)));
    tick.account.reclaimable = 1_GiB;
    return tick;
  };
  CHECK(MetricsAfter{tick_after(1_MiB)}.value("host_state{state=\"short\"}") == "0");
  CHECK(MetricsAfter{tick_after(1_MiB), tick_after(2_MiB)}.value("host_state{state=\"short\"}") ==
        "1");
  CHECK(MetricsAfter{tick_after(2_MiB), tick_after(2_MiB)}.value("host_state{state=\"short\"}") ==
        "0");
}
