#include "engine/workbench/scenario_file.h"

#include <doctest/doctest.h>

#include <string>

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;

namespace {

std::string why_not(const std::string& source) {
  const auto scenario = load_scenario_text(source, "s.lua");
  if (scenario) FAIL("it loads");
  return scenario.error().text();
}

std::string with_domain(const std::string& says) {
  return "return {\n  domains = {\n    { name = \"a\", " + says + " },\n  },\n}\n";
}

}  // namespace

TEST_CASE("a scenario file sets the host, the model and each domain") {
  const auto scenario = load_scenario_text(
      "return { summary = 's', host = { total = 4*GiB, base = '100MiB' }, duration = 30, seed = 7, "
      "model = { swap_rate = 10*MiB }, domains = { { name = 'a', maximum = 1*GiB, initial = "
      "512*MiB, "
      "minimum = 256*MiB, weight = 2, swap = 1*GiB, demand = { { 0, 10*MiB }, { 10, 110*MiB } }, "
      "faults = { { kind = 'hung', from = 5, to = 6 } }, start = 1, stop = 20, free_page_reporting "
      "= true } } }",
      "s.lua");
  REQUIRE_MESSAGE(scenario.has_value(), scenario.error().text());
  CHECK(scenario->host_total == 4_GiB);
  CHECK(scenario->host_base == 100_MiB);
  CHECK(scenario->duration == 30s);
  CHECK(scenario->model.swap_rate == 10_MiB);
  REQUIRE(scenario->domains.size() == 1);
  const auto& domain = scenario->domains[0];
  CHECK(domain.initial == 512_MiB);
  CHECK(domain.free_page_reporting);
  CHECK(domain.settings.minimum == 256_MiB);
  std::size_t cursor = 0;
  CHECK(domain.demand.at(5s, cursor) == doctest::Approx(60 * 1024));
  CHECK(domain.demand.at(1h, cursor) == doctest::Approx(110 * 1024));
  CHECK(domain.demand.at(0s, cursor) == doctest::Approx(10 * 1024));
  CHECK(domain.faults[0].kind == simulated::Fault::Kind::hung);
}

TEST_CASE("a scenario file sets the host's other memory use and a domain's hugepages and limits") {
  const auto scenario = load_scenario_text(
      "return { host = { total = 8*GiB, use = { { 0, 0 }, { 10, 1*GiB } }, merged = { { 0, "
      "300*MiB } }, hugepages = 2*GiB }, model = { touch_rate = 1*GiB, processor_lists = 51*MiB }, "
      "domains = { { name = 'a', touched = true, hugepages = true, process_overhead = 250*MiB, "
      "hard_limit = 3*GiB } } }",
      "s.lua");
  REQUIRE_MESSAGE(scenario.has_value(), scenario.error().text());
  std::size_t cursor = 0;
  CHECK(scenario->host_use.at(5s, cursor) == doctest::Approx(512 * 1024));
  CHECK(scenario->host_merged.largest() == 300_MiB);
  CHECK(scenario->host_hugepages == 2_GiB);
  CHECK(scenario->model.touch_rate == 1_GiB);
  CHECK(scenario->model.processor_lists == 51_MiB);
  CHECK(scenario->domains[0].touched);
  CHECK(scenario->domains[0].hugepages);
  CHECK(scenario->domains[0].process_overhead == 250_MiB);
  CHECK(scenario->domains[0].hard_limit == 3_GiB);
}

TEST_CASE("a generator makes the same plan for the same seed, within its bounds") {
  for (const char* name : {"steps", "sawtooth", "bursts", "diurnal", "leak", "walk"}) {
    CAPTURE(name);
    const std::string source =
        "return { duration = 600, domains = { { name = 'a', demand = { generator = '" +
        std::string(name) + "', low = 10*MiB, high = 200*MiB } } } }";
    const auto one = load_scenario_text(source, "s.lua");
    const auto two = load_scenario_text(source, "s.lua");
    REQUIRE(one.has_value());
    CHECK(one->domains[0].demand == two->domains[0].demand);
    CHECK(one->domains[0].demand.points().size() >= 2);
    for (const auto& point : one->domains[0].demand.points()) {
      CHECK(point.size >= 10_MiB);
      CHECK(point.size <= 200_MiB);
    }
  }
}

TEST_CASE("an error in a scenario file is one line with its place") {
  CHECK(why_not("return 5") ==
        "s.lua: returns a number where a table is expected; end the file with `return { ... }`");
  CHECK(why_not("return {").find("s.lua:1") == 0);
  CHECK(why_not("return { domians = {} }")
            .find("s.lua:1: unknown key 'domians' in the scenario; did you mean 'domains'?") == 0);
  CHECK(why_not(with_domain("maxmum = 5"))
            .find("s.lua:3: unknown key 'maxmum' in domain 'a'; did you mean 'maximum'?") == 0);
  CHECK(why_not(with_domain("maximum = -5"))
            .find("s.lua:3: domain 'a': maximum = -5 is not a size") == 0);
  CHECK(why_not(with_domain("demand = { { 0, 9*GiB } }")).find("exceeds its maximum of 512 MiB") !=
        std::string::npos);
  CHECK(why_not(with_domain("demand = { generator = 'wave' }")).find("unknown generator 'wave'") !=
        std::string::npos);
  CHECK(why_not(with_domain("demand = { { 5, 1 }, { 5, 2 } }")).find("do not rise") !=
        std::string::npos);
  CHECK(why_not(with_domain("faults = { { kind = 'sleepy' } }")).find("unknown kind 'sleepy'") !=
        std::string::npos);
  CHECK(why_not(with_domain("start = 5, stop = 4")).find("it stops before it starts") !=
        std::string::npos);
  CHECK(
      why_not("return { duration = 0, domains = { { name = 'a' } } }").find("a duration of 0 s") !=
      std::string::npos);
  CHECK(why_not("return { domains = { { name = 'a' }, { name = 'a' } } }")
            .find("two domains are named 'a'") != std::string::npos);
  CHECK(load_scenario("/nowhere.lua").error().text() == "/nowhere.lua: no such scenario");
}

TEST_CASE("a scenario without an end is stopped by its instructions, on a busy machine as well") {
  const std::string problem = why_not("while true do end");
  CHECK_MESSAGE(problem.find("exceeded its limit of 20000000 instructions") != std::string::npos,
                problem);
}

TEST_CASE("a scenario file sets the host's NUMA nodes and binds domains to them") {
  const auto load = [](const std::string& host, const std::string& nodes) {
    return load_scenario_text(
        "return { host = " + host + ", domains = { { name = 'a', nodes = " + nodes + " } } }",
        "s.lua");
  };
  const auto scenario = load("{ nodes = { 1*GiB, '3GiB' } }", "{ 1, 0 }");
  REQUIRE_MESSAGE(scenario.has_value(), scenario.error().text());
  CHECK(scenario->host_total == 4_GiB);
  CHECK(scenario->host_nodes == std::vector{1_GiB, 3_GiB});
  CHECK(scenario->domains[0].nodes == NodeSet{0, 1});
  CHECK(load("{ nodes = { 1*GiB }, total = 2*GiB }", "{ 0 }").error().message ==
        "host: the nodes have 1 GiB together, and the host 2 GiB");
  CHECK(load("{ nodes = 5 }", "{ 0 }").error().message == "host: nodes is not a list of sizes");
  CHECK(load("{ nodes = { -1 } }", "{ 0 }").error().message ==
        "host: a node's size is not a size of memory");
  CHECK(load("{ nodes = { 1*GiB } }", "{ 1 }").error().message ==
        "domain 'a': the host has no such node");
  CHECK(load("{}", "{ 0 }").error().message == "domain 'a': the host has no such node");
  CHECK(load("{ nodes = { 1*GiB } }", "0").error().message ==
        "domain 'a': nodes is not a list of numbers");
}
