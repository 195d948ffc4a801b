#include "engine/cli/run_output.h"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <optional>
#include <sstream>

#include "tests/world/fakes.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace memcoord::test;

namespace {

/// A run's output with its log kept as text.
struct Output {
  Output() {
    log->set_pattern("%l %v");
    auto opened = RunOutput::open(RunOptions{}, log);
    REQUIRE(opened);
    output.emplace(*std::move(opened));
  }
  std::ostringstream text;
  std::shared_ptr<spdlog::logger> log = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_st>(text));
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
  CHECK(run.text.str() == "info web: vanished\nwarning the period of 1 domain stays at 1 s\n");
}

TEST_CASE("a restore counts domains, and says of each that fell short how far and why") {
  Output run;
  run.output->tell_restored(std::vector<Restored>{
      {Uuid{0, 1}, "a", 1000_MiB, 800_MiB, "the host can give 200 MiB"},
      {Uuid{0, 2}, "b", 1000_MiB, 1000_MiB, ""},
      {Uuid{0, 3}, "c", 500_MiB, 600_MiB, ""},
  });
  CHECK(run.text.str() ==
        "warning a: is left with 800 MiB, not the 1000 MiB it had: the host can give 200 MiB\n"
        "info c: is left with 600 MiB, not the 500 MiB it had\n"
        "info 1 of 3 domains given back the memory they had\n");
}

TEST_CASE("a restore without a look at the host says so, once") {
  Output run;
  run.output->tell_restored(fail(ErrorCode::unavailable, "qemu:///system", "down"));
  CHECK(run.text.str() ==
        "error no domain is given back the memory it had: qemu:///system: down\n");
}
