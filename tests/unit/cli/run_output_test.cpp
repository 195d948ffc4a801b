#include "engine/cli/run_output.h"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>

#include "tests/world/fakes.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace memcoord::test;

TEST_CASE("what could not be put back at the end is said at the end") {
  std::ostringstream text;
  auto log = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_st>(text));
  log->set_pattern("%l %v");
  auto output = RunOutput::open(RunOptions{}, log);
  REQUIRE(output);
  FakeHypervisor hypervisor({});
  hypervisor.notes = {{Note::Severity::info, "web: vanished"}};
  hypervisor.last_notes = {{Note::Severity::warning, "the period of 1 domain stays at 1 s"}};
  output->close(hypervisor);
  CHECK(hypervisor.closed);
  CHECK(text.str() == "info web: vanished\nwarning the period of 1 domain stays at 1 s\n");
}
