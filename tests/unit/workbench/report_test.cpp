#include "engine/workbench/report/report.h"

#include <doctest/doctest.h>

#include "engine/observers/json.h"
#include "tests/unit/files/folder.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;
using observers::Json;
using test::Folder;

namespace {

RunRecord record(const std::string& name) {
  RunRecord result;
  result.policy = name;
  result.scenario = name;
  result.summary = name;
  result.interval = 2s;
  result.duration = 4s;
  result.host_total = 4_GiB;
  result.times = {2s, 4s};
  result.host = {{1_GiB, 2_GiB, 500_MiB}, {1_GiB, 2_GiB, 600_MiB}};
  DomainMoment moment;
  moment.active = true;
  moment.actual = 1_GiB;
  moment.need = 300_MiB;
  result.domains.push_back({name, 2_GiB, {moment, moment}, 0.5, 1});
  result.events.push_back({WallTime(2s), observers::Event::Kind::moved, name, name});
  return result;
}

/// The JSON of a page.
std::string data_of(const std::string& page) {
  const std::size_t tag = page.find("id=\"data\"");
  REQUIRE(tag != std::string::npos);
  const std::size_t start = page.find('>', tag) + 1;
  return page.substr(start, page.find("</script>", start) - start);
}

const std::string kHostile = "</script><script>alert(1)</script>\"'&\x01\xff";

}  // namespace

TEST_CASE("a run's report has its data as JSON, and loads nothing") {
  const Folder folder;
  REQUIRE(write_run_report(record("web"), folder / "run.html"));
  const std::string page = folder.read("run.html");
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(Json::parse(data_of(page)).value().is_object());
  for (const char* loaded : {"src=", "href=\"http", "@import", "url(", "innerHTML"}) {
    CAPTURE(loaded);
    CHECK(page.find(loaded) == std::string::npos);
  }
}

TEST_CASE("the report of a real run counts from its first tick and has words of its own") {
  const Folder folder;
  RunRecord run = record("web");
  run.start = WallTime(1'000'000s);
  run.events[0].time = run.start + 3s;
  run.recorded = RecordedSums{.ticks = 2, .runs = 1, .recorded = 4s};
  run.domains[0].story.name = "web";
  run.domains[0].story.observed = 4s;
  run.domains[0].story.short_of_memory = 2s;
  run.domains[0].story.kills = 1;
  run.events_left_out = {0, 0, 0, 0, 1234};
  REQUIRE(write_run_report(run, folder / "run.html"));
  const std::string page = folder.read("run.html");
  const Json data = Json::parse(data_of(page)).value();
  CHECK(data.at("start") == Json(1e6));
  CHECK(data.at("events").at(0).at(0) == Json(3000));
  CHECK(data.at("eventsLeftOut") == Json("1,234 smaller moves are left out"));
  CHECK(
      page.find("1 of 1 domains was short of memory, web longest: 2 s in all. 1 sign of kills.") !=
      std::string::npos);
  CHECK(page.find("<th>signs of kills</th>") != std::string::npos);
  REQUIRE(write_run_report(record("web"), folder / "other.html"));
  CHECK(Json::parse(data_of(folder.read("other.html"))).value().at("start") == Json());
}

TEST_CASE("a report has sizes in the units of the limits") {
  const Folder folder;
  RunRecord run = record("web");
  run.limits.units = Units::kib;
  REQUIRE(write_run_report(run, folder / "run.html"));
  const std::string page = folder.read("run.html");
  for (const char* text : {"4194304 KiB", "102400 KiB", "2097152 KiB", "\"units\":\"KiB\""}) {
    CAPTURE(text);
    CHECK(page.find(text) != std::string::npos);
  }
  CHECK(page.find("4 GiB") == std::string::npos);
  Comparison comparison;
  comparison.units = Units::mib;
  comparison.scenarios.push_back({"case1", "one grows", 4_GiB, 1, 4s});
  REQUIRE(write_comparison_report(comparison, folder / "compare.html"));
  const std::string compared = folder.read("compare.html");
  CHECK(compared.find("4096 MiB") != std::string::npos);
  CHECK(compared.find("\"units\":\"MiB\"") != std::string::npos);
}

TEST_CASE("hostile names and reasons stay text in a report") {
  const Folder folder;
  REQUIRE(write_run_report(record(kHostile), folder / "run.html"));
  const std::string page = folder.read("run.html");
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(Json::parse(data_of(page)).value().is_object());
}

TEST_CASE("a comparison's report has every policy and scenario, hostile names too") {
  Comparison comparison;
  comparison.interval = 2s;
  comparison.headroom = Headroom::unused;
  comparison.scenarios.push_back({"case1", "one grows", 4_GiB, 1, 4s});
  ComparisonCell cell{Score(), "", std::make_shared<const RunRecord>(record("web"))};
  comparison.rows.push_back({ComparisonRow::Kind::policy, "halving", {cell}});
  comparison.rows.push_back({ComparisonRow::Kind::policy, kHostile, {{std::nullopt, "broke", {}}}});
  const Folder folder;
  REQUIRE(write_comparison_report(comparison, folder / "compare.html"));
  const std::string page = folder.read("compare.html");
  CHECK(page.find("headroom metric <b>unused</b>") != std::string::npos);
  for (const char* text : {"halving", "case1", "one grows"}) {
    CHECK(page.find(text) != std::string::npos);
  }
  CHECK(page.find("<script>alert") == std::string::npos);
}

TEST_CASE("a report that cannot be written is an error, and leaves an older file as it was") {
  const Folder folder;
  const Status missing = write_run_report(record("web"), folder / "none/run.html");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().text().find("none") != std::string::npos);
  std::filesystem::create_directory(folder / "taken.html");
  CHECK_FALSE(write_run_report(record("web"), folder / "taken.html"));
  CHECK(std::filesystem::is_directory(folder / "taken.html"));
}
