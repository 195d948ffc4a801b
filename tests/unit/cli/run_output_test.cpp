#include "engine/cli/run_output.h"

#include <doctest/doctest.h>

#include <memory>
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

}  // namespace

TEST_CASE("what could not be put back at the end is said at the end") {
  Lines lines;
  auto output = RunOutput::open(RunOptions{}, log_into(lines));
  REQUIRE(output);
  FakeHypervisor hypervisor({});
  hypervisor.notes = {{Note::Severity::info, "web: vanished"}};
  hypervisor.last_notes = {{Note::Severity::warning, "the period of 1 domain stays at 1 s"}};
  output->close(hypervisor);
  CHECK(hypervisor.closed);
  CHECK(lines == Lines{{Log::Level::info, "web: vanished"},
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
    log->info("two\n");
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
