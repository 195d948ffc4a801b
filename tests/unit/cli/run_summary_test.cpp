#include "engine/cli/run_summary.h"

#include <doctest/doctest.h>

using namespace memcoord;
using namespace memcoord::cli;

namespace {

Outcome moved(std::uint64_t domain, std::uint64_t from_mib, std::uint64_t to_mib,
              Outcome::Kind kind = Outcome::Kind::applied) {
  return {Uuid{0, domain}, MemorySize::from_mib(from_mib), MemorySize::from_mib(to_mib), kind, {}};
}

Tick tick_with(std::vector<Outcome> outcomes) {
  Tick tick;
  tick.outcomes = std::move(outcomes);
  return tick;
}

}  // namespace

TEST_CASE("a run without moves says so") {
  RunSummary summary;
  CHECK(summary.text() == "0 ticks, 0 moves, no errors");
  summary.observe(Tick{});
  CHECK(summary.text() == "1 tick, 0 moves, no errors");
}

TEST_CASE("a run's moves are summed, and domains counted once") {
  RunSummary summary;
  summary.observe(tick_with({moved(1, 512, 640), moved(2, 512, 448)}));
  summary.observe(tick_with({moved(1, 640, 700), moved(3, 100, 200)}));
  CHECK(summary.text() ==
        "2 ticks, 4 moves, +288 MiB to 2 domains, -64 MiB from 1 domain, no errors");
}

TEST_CASE("a move that did not happen does not count") {
  RunSummary summary;
  summary.observe(tick_with(
      {moved(1, 512, 640, Outcome::Kind::vanished), moved(2, 512, 640, Outcome::Kind::skipped)}));
  CHECK(summary.text() == "1 tick, 0 moves, no errors");
}

TEST_CASE("a move without an answer is an error until it is known what came of it") {
  RunSummary summary;
  summary.observe(tick_with({moved(1, 512, 640, Outcome::Kind::unknown)}));
  CHECK(summary.text() == "1 tick, 0 moves, 1 unanswered move");
  Tick later;
  later.late_outcomes = {moved(1, 512, 640)};
  summary.observe(later);
  CHECK(summary.text() == "2 ticks, 1 move, +128 MiB to 1 domain, no errors");
}

TEST_CASE("errors are counted by their kind") {
  RunSummary summary;
  Tick blind;
  blind.sample_error = Error{};
  Tick clueless;
  clueless.policy_error = Error{};
  summary.observe(blind);
  summary.observe(clueless);
  summary.observe(clueless);
  summary.observe(tick_with({moved(1, 512, 640, Outcome::Kind::failed)}));
  CHECK(summary.text() ==
        "4 ticks, 0 moves, 1 without a look at the host, 2 policy errors, 1 failed move");
}

TEST_CASE("a dry run is called one") {
  RunSummary summary;
  Tick tick = tick_with({moved(1, 512, 640, Outcome::Kind::dry_run)});
  tick.dry_run = true;
  summary.observe(tick);
  CHECK(summary.text() == "1 tick, dry run: 1 move, +128 MiB to 1 domain, no errors");
}

TEST_CASE("a week of domains that come and go are counted without being kept") {
  RunSummary summary;
  constexpr std::uint64_t kTicks = 7 * 24 * 60;
  for (std::uint64_t i = 0; i < kTicks; ++i) {
    Tick tick = tick_with({moved(i, 512, 640)});
    DomainIdentity identity;
    identity.uuid = Uuid{0, i};
    Domain domain;
    domain.identity = std::make_shared<const DomainIdentity>(identity);
    tick.snapshot.domains = {domain};
    summary.observe(tick);
    CHECK(summary.remembered() <= 20);
  }
  CHECK(summary.text().find("to " + std::to_string(kTicks) + " domains") != std::string::npos);
}
