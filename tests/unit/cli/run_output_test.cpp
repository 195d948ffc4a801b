#include "engine/cli/run_output.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/world/fakes.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace memcoord::test;
using observers::Log;

namespace {

using Lines = std::vector<std::pair<Log::Level, std::string>>;

std::shared_ptr<Log> log_into(Lines& lines) {
  return std::make_shared<Log>(
      Log::Level::info,
      [&lines](Log::Level level, const std::string& line) { lines.emplace_back(level, line); });
}

/// A run's output with the lines of its log.
struct Output {
  Output() {
    auto opened = RunOutput::open(RunOptions{}, log_into(lines));
    REQUIRE(opened);
    output.emplace(*std::move(opened));
  }
  Lines lines;
  std::optional<RunOutput> output;
};

}  // namespace

TEST_CASE("what could not be put back at the end is said at the end") {
  Output run;
  FakeHypervisor hypervisor({});
  hypervisor.notes = {{Note::Severity::info, "web: vanished"}};
  hypervisor.last_notes = {{Note::Severity::warning, "the period of 1 domain stays at 1 s"}};
  run.output->close(hypervisor);
  CHECK(hypervisor.closed);
  CHECK(run.lines == Lines{{Log::Level::info, "web: vanished"},
                           {Log::Level::warning, "the period of 1 domain stays at 1 s"}});
}

TEST_CASE("lines of the log go elsewhere while they are diverted, those under its level nowhere") {
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

TEST_CASE("a restore counts domains, and says of each that fell short how far and why") {
  Output run;
  run.output->tell_restored(std::vector<Restored>{
      {Uuid{0, 1}, "a", 1000_MiB, 800_MiB, "the host can give 200 MiB", false},
      {Uuid{0, 2}, "b", 1000_MiB, 1000_MiB, "", false},
      {Uuid{0, 3}, "c", 500_MiB, 600_MiB, "", false},
      {Uuid{0, 4}, "d", 500_MiB, 500_MiB, "may still be moved", true},
  });
  CHECK(run.lines ==
        Lines{{Log::Level::warning,
               "a: is left with 800 MiB, not the 1000 MiB it had: the host can give 200 MiB"},
              {Log::Level::info, "c: is left with 600 MiB, not the 500 MiB it had"},
              {Log::Level::warning, "d: may still be moved"},
              {Log::Level::info, "1 of 4 domains given back the memory they had"}});
}

TEST_CASE("a restore without a look at the host says so, once") {
  Output run;
  run.output->tell_restored(fail(ErrorCode::unavailable, "qemu:///system", "down"));
  CHECK(run.lines == Lines{{Log::Level::error,
                            "no domain is given back the memory it had: qemu:///system: down"}});
}
