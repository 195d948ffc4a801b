#include "engine/fleet/host_figures.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/fleet/fleet_metrics.h"

using namespace memcoord;
using namespace memcoord::fleet;
using memcoord::testing::metrics_of_a_host;
using memcoord::testing::metrics_with;
using memcoord::testing::metrics_without;

namespace {

constexpr WallTime kNow{std::chrono::seconds(1002)};

HostFigures usual_figures() {
  return figures_in(metrics_of_a_host(), kNow).value();
}

std::string problem_of(const std::string& metrics, WallTime now = kNow) {
  const auto figures = figures_in(metrics, now);
  return figures ? "" : figures.error().text();
}

}  // namespace

TEST_CASE("the figures of a host are those of its metrics") {
  const HostFigures figures = usual_figures();
  CHECK(figures.version == "0.3.0");
  CHECK(figures.policy == "adaptive");
  CHECK(state_text(figures) == "tight");
  CHECK(figures.since_tick == std::chrono::seconds(2));
  CHECK(figures.total == 16_GiB);
  CHECK(figures.grantable == 4_GiB);
  CHECK(figures.committed == 12_GiB);
  CHECK(figures.shortfall == MemorySize());
  CHECK(figures.headroom == 6_GiB);
  CHECK(figures.domains == 31);
}

TEST_CASE("a version without committed, shortfall, headroom and state has the other figures") {
  std::string metrics = metrics_without("memcoord_host_committed");
  for (const char* name : {"memcoord_host_shortfall", "memcoord_headroom", "memcoord_host_state"}) {
    for (std::size_t at = metrics.find(name); at != std::string::npos; at = metrics.find(name)) {
      metrics.erase(at, metrics.find('\n', at) + 1 - at);
    }
  }
  const auto figures = figures_in(metrics, kNow);
  REQUIRE(figures);
  CHECK(figures->grantable == 4_GiB);
  CHECK_FALSE(figures->committed);
  CHECK_FALSE(figures->shortfall);
  CHECK_FALSE(figures->headroom);
  CHECK(state_text(*figures) == "?");
}

TEST_CASE("a version without a figure that the fleet needs is named") {
  CHECK(problem_of(metrics_without("memcoord_host_grantable")) ==
        "is memcoord 0.3.0, which has no memcoord_host_grantable_bytes");
}

TEST_CASE("metrics of another program, and texts that are none, are no memcoord") {
  CHECK(problem_of("node_memory_bytes 5\n") ==
        "is no memcoord: the metrics are of another program");
  CHECK(problem_of("<html>") == "is no memcoord: the response is no metrics");
  CHECK(problem_of("") == "is no memcoord: the metrics are of another program");
}

TEST_CASE("texts that a host chooses are cut, so that its row leaves the others readable") {
  const std::string endless(3000, 'p');
  const auto figures = figures_in(metrics_with("policy=\"adaptive", "policy=\"" + endless), kNow);
  REQUIRE(figures);
  CHECK(figures->policy.size() < 120);
  CHECK(figures->policy.starts_with("pppp"));
  std::string unknown = metrics_without("memcoord_host_grantable");
  unknown.replace(unknown.find("0.3.0"), 5, endless);
  CHECK(problem_of(unknown).size() < 200);
}

TEST_CASE("figures that cannot be are refused by name") {
  for (const char* value : {"-1", "NaN", "+Inf", "1e30"}) {
    CAPTURE(value);
    CHECK(problem_of(
              metrics_with("memory_bytes 17179869184", std::string("memory_bytes ") + value)) ==
          "gives an impossible figure for memcoord_host_memory_bytes");
  }
  CHECK(problem_of(metrics_with("running\"} 30", "running\"} -30")) ==
        "gives an impossible figure for memcoord_domains");
  CHECK(problem_of(metrics_with("timestamp_seconds 1000", "timestamp_seconds NaN")) ==
        "gives an impossible figure for memcoord_last_tick_timestamp_seconds");
  for (const char* value : {"NaN", "-1", "0"}) {
    CAPTURE(value);
    CHECK(
        problem_of(metrics_with("interval_seconds 1", std::string("interval_seconds ") + value)) ==
        "gives an impossible figure for memcoord_interval_seconds");
  }
}

TEST_CASE("a host that gives no sample, or whose ticks have stopped, has no figures") {
  CHECK(problem_of(metrics_with("memcoord_up 1", "memcoord_up 0")) == "cannot sample its host");
  CHECK(problem_of(metrics_of_a_host(), WallTime(std::chrono::seconds(1033))).empty());
  CHECK(problem_of(metrics_of_a_host(), WallTime(std::chrono::seconds(1300))) ==
        "makes no ticks: the last was 5 min ago by this machine's clock");
  // A clock that is behind proves nothing.
  CHECK(problem_of(metrics_of_a_host(), WallTime(std::chrono::seconds(10))).empty());
}

TEST_CASE("a state shows a dry run and a fallback policy") {
  CHECK(state_text(figures_in(metrics_with("dry_run 0", "dry_run 1"), kNow).value()) ==
        "tight, dry run");
  CHECK(state_text(figures_in(metrics_with("active 0", "active 1"), kNow).value()) ==
        "tight, fallback");
}

TEST_CASE("a host that is short says what it lacks, and others say nothing") {
  HostFigures figures = usual_figures();
  CHECK(shortage_text(figures, Units::automatic).empty());
  figures.host_state = "short";
  CHECK(shortage_text(figures, Units::automatic) ==
        "guests are short of memory, and it has 4 GiB to grant");
  figures.grantable = {};
  CHECK(shortage_text(figures, Units::automatic) ==
        "guests are short of memory, and it has nothing to grant");
  figures.shortfall = 300_MiB;
  CHECK(shortage_text(figures, Units::automatic) ==
        "its guests must release 300 MiB before it can grant memory");
}

TEST_CASE("a guest needs its maximum and its QEMU, now or after reclaiming") {
  const HostFigures figures = usual_figures();
  // 3 GiB, 62 MiB and a 512th of 3 GiB.
  CHECK(fit_on(figures, 3_GiB).kind == Fit::Kind::now);
  CHECK(fit_on(figures, 3_GiB).left == 956_MiB);
  CHECK(fit_on(figures, 4_GiB).kind == Fit::Kind::after_reclaiming);
  CHECK(fit_on(figures, 4_GiB).left == 1978_MiB);
  CHECK(fit_on(figures, 6_GiB).kind == Fit::Kind::no);
}

TEST_CASE("a host in a dry run, or without headroom figures, has what is grantable alone") {
  HostFigures figures = usual_figures();
  figures.dry_run = true;
  CHECK(fit_on(figures, 3_GiB).kind == Fit::Kind::now);
  CHECK(fit_on(figures, 4_GiB).kind == Fit::Kind::no);
  figures = usual_figures();
  figures.headroom.reset();
  CHECK(fit_on(figures, 4_GiB).kind == Fit::Kind::no);
}
