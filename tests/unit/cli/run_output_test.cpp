#include "engine/cli/run_output.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/files/folder.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace memcoord::test;
using observers::Log;

namespace {

using Lines = std::vector<std::pair<Log::Level, std::string>>;

std::shared_ptr<Log> log_into(Lines& lines) {
  return std::make_shared<Log>(
      Log::Level::info, [&lines](Log::Level level, const std::string& line,
                                 const observers::LogFields&) { lines.emplace_back(level, line); });
}

/// The output of a run and the lines of its log.
struct Output {
  Output() {
    auto opened = RunOutput::open(RunOptions{}, log_into(lines), [] { return WallTime(); });
    REQUIRE(opened);
    output.emplace(*std::move(opened));
  }
  Lines lines;
  std::optional<RunOutput> output;
};

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

TEST_CASE("the log has the hypervisor's last notes, such as settings that it could not restore") {
  Output run;
  FakeHypervisor hypervisor({});
  hypervisor.notes = {{Note::Severity::info, "web: vanished"}};
  hypervisor.last_notes = {{Note::Severity::warning, "the period of 1 domain stays at 1 s"}};
  run.output->close(hypervisor);
  CHECK(hypervisor.closed);
  CHECK(run.lines == Lines{{Log::Level::info, "web: vanished"},
                           {Log::Level::warning, "the period of 1 domain stays at 1 s"}});
}

TEST_CASE("the metrics' file is written after each tick and removed at the end") {
  const Folder folder;
  RunOptions options;
  options.metrics_file = folder / "a.prom";
  options.metrics_domains = false;
  Lines lines;
  auto output = RunOutput::open(options, log_into(lines), [] { return WallTime(); });
  REQUIRE(output);
  metrics::RunMetrics metrics("0.9", std::chrono::seconds(1), [] { return WallTime(); });
  Tick tick;
  tick.snapshot = World().domain("web");
  metrics.observe(tick);
  output->after_tick(metrics);
  CHECK(folder.read("a.prom") == metrics.text(metrics::Format::prometheus, metrics::Domains::off));
  CHECK(RunOutput::open(options, log_into(lines), [] { return WallTime(); }).has_value());
  FakeHypervisor hypervisor({});
  output->close(hypervisor);
  CHECK(!std::filesystem::exists(folder / "a.prom"));
  CHECK(lines.empty());
}

TEST_CASE("the metrics never replace another file of the run") {
  const Folder folder;
  const auto refusal = [&](RunOptions options) {
    options.metrics_file = folder / "a.prom";
    Lines lines;
    const auto output = RunOutput::open(options, log_into(lines), [] { return WallTime(); });
    REQUIRE(!output);
    CHECK(output.error().object == "--metrics-file");
    CHECK(output.error().hint == "name a file of its own");
    CHECK(std::filesystem::is_empty(folder / ""));
    return output.error().message;
  };
  const std::string begin = (folder / "a.prom").string() + " is also ";
  RunOptions options;
  options.journal = folder / "a.prom";
  CHECK(refusal(options) == begin + "the journal");
  options.journal = folder / "." / "a.prom";
  CHECK(refusal(options) == begin + "the journal");
  options.journal = "";
  options.metrics_token = folder / "a.prom";
  CHECK(refusal(options) == begin + "the token file");
  options.metrics_token = "";
  options.config = folder / "a.prom";
  CHECK(refusal(options) == begin + "the configuration file");
}

TEST_CASE("the metrics never replace the file that a rotation of the journal makes") {
  const Folder folder;
  RunOptions options;
  options.journal = folder / "journal";
  options.metrics_file = folder / "journal.1";
  Lines lines;
  const auto output = RunOutput::open(options, log_into(lines), [] { return WallTime(); });
  REQUIRE(!output);
  CHECK(output.error().message == options.metrics_file + " is also the journal's rotated file");
  CHECK(!std::filesystem::exists(folder / "journal"));
}

TEST_CASE("a diversion gets the log's lines, except those below its level") {
  Lines lines;
  const auto log = log_into(lines);
  std::vector<std::pair<std::string, Note::Severity>> diverted;
  {
    const LogDiversion diversion(log, [&](std::string line, Note::Severity severity) {
      diverted.emplace_back(std::move(line), severity);
    });
    log->debug("one");
    log->info("two");
    log->warn("three");
    log->error("four");
  }
  log->info("five");
  CHECK(diverted ==
        std::vector<std::pair<std::string, Note::Severity>>{{"two", Note::Severity::info},
                                                            {"three", Note::Severity::warning},
                                                            {"four", Note::Severity::error}});
  CHECK(lines == Lines{{Log::Level::info, "five"}});
}

TEST_CASE("a restore counts domains and reports how far and why each other domain fell short") {
  Output run;
  run.output->log_restored(std::vector<Restored>{
      {Uuid{0, 1}, "a", 1000_MiB, 800_MiB, "the host can give 200 MiB", false},
      {Uuid{0, 2}, "b", 1000_MiB, 1000_MiB, "", false},
      {Uuid{0, 3}, "c", 500_MiB, 600_MiB, "", false},
      {Uuid{0, 4}, "d", 500_MiB, 500_MiB, "may still be moved", true},
  });
  CHECK(run.lines ==
        Lines{{Log::Level::warning,
               "a: has 800 MiB instead of the 1000 MiB that it had: the host can give 200 MiB"},
              {Log::Level::info, "c: has 600 MiB instead of the 500 MiB that it had"},
              {Log::Level::warning, "d: may still be moved"},
              {Log::Level::info, "1 of 4 domains restored to the memory that they had"}});
}

TEST_CASE("a restore without a sample of the host is reported once") {
  Output run;
  run.output->log_restored(fail(ErrorCode::unavailable, "qemu:///system", "down"));
  CHECK(run.lines ==
        Lines{{Log::Level::error, "cannot restore the domains' memory: qemu:///system: down"}});
}

TEST_CASE("the summary of a run without moves counts its ticks") {
  RunSummary summary;
  CHECK(summary.text() == "0 ticks, 0 moves, no errors");
  summary.observe(Tick{});
  CHECK(summary.text() == "1 tick, 0 moves, no errors");
}

TEST_CASE("the summary adds up moves and counts each domain once") {
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

TEST_CASE("a move without an answer counts as an error until its result is known") {
  RunSummary summary;
  summary.observe(tick_with({moved(1, 512, 640, Outcome::Kind::unknown)}));
  CHECK(summary.text() == "1 tick, 0 moves, 1 unanswered move");
  Tick later;
  later.late_outcomes = {moved(1, 512, 640)};
  summary.observe(later);
  CHECK(summary.text() == "2 ticks, 1 move, +128 MiB to 1 domain, no errors");
}

TEST_CASE("the summary counts errors by their kind") {
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
        "4 ticks, 0 moves, 1 without a sample of the host, 2 policy errors, 1 failed move");
}

TEST_CASE("the summary names a dry run") {
  RunSummary summary;
  Tick tick = tick_with({moved(1, 512, 640, Outcome::Kind::dry_run)});
  tick.dry_run = true;
  summary.observe(tick);
  CHECK(summary.text() == "1 tick, dry run: 1 move, +128 MiB to 1 domain, no errors");
}

TEST_CASE("a week of short-lived domains is counted in bounded memory") {
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
