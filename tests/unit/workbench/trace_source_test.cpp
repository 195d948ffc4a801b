#include "engine/workbench/trace_source.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "engine/observers/tick_json.h"
#include "tests/unit/files/folder.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::workbench;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// A journal of two ticks that begins this long after the world's beginning.
std::string journal_from(Duration begin) {
  std::string text;
  for (int i = 0; i < 2; ++i) {
    Tick tick;
    tick.number = static_cast<std::uint64_t>(i) + 1;
    tick.snapshot =
        World()
            .host(8_GiB)
            .domain("a", actual(1_GiB), maximum(2_GiB), usable(600_MiB), unused(600_MiB))
            .at(begin + i * 1s);
    text += observers::to_json_line(tick) + "\n";
  }
  return text;
}

const std::string kWideTrace = "t_s,web\nprovisioned_kib,1000\n0,10\n300,20\n";

std::string why_no_demand(const std::vector<std::filesystem::path>& paths) {
  const auto source = read_trace_source(paths);
  REQUIRE_FALSE(source.has_value());
  return source.error().text();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("demand is read from a trace or a journal, whatever its name") {
  const Folder folder;
  const auto trace = read_trace_source({folder.write("anything", kWideTrace)});
  REQUIRE(trace.has_value());
  CHECK(trace->trace.columns[0].name == "web");
  CHECK_FALSE(trace->host.has_value());
  const auto journal = read_trace_source({folder.write("week.csv", journal_from(0s))});
  REQUIRE(journal.has_value());
  CHECK(journal->trace.columns[0].used[0] == 424_MiB);
  REQUIRE(journal->host.has_value());
  CHECK(journal->host->total == 8_GiB);
}

TEST_CASE("several journals, and folders of journals, are one recording") {
  const Folder folder;
  std::filesystem::create_directory(folder / "j");
  folder.write("j/1.jsonl", journal_from(0s));
  folder.write("j/2.jsonl", journal_from(10s));
  const auto later = folder.write("3", journal_from(20s));
  const auto source = read_trace_source({folder / "j", later});
  REQUIRE(source.has_value());
  CHECK(source->trace.times == std::vector{0s, 1s, 10s, 11s, 20s, 21s});
}

TEST_CASE("a folder of GWA-T-12 files is still a trace") {
  const Folder folder;
  folder.write("1.csv",
               "Timestamp [ms];Memory capacity provisioned [KB];Memory usage [KB]\n1;8;4\n2;8;5\n");
  const auto source = read_trace_source({folder / ""});
  REQUIRE(source.has_value());
  CHECK(source->trace.columns[0].name == "1");
}

TEST_CASE("a journal whose last line was cut off is read up to there") {
  const Folder folder;
  const auto source = read_trace_source(
      {folder.write("j", journal_from(0s) + "{\"format\":\"memcoord-tick\",\"ver")});
  REQUIRE(source.has_value());
  CHECK(source->trace.times.size() == 2);
  REQUIRE(source->notes.size() == 1);
  CHECK(contains(source->notes[0], "is cut off; read up to line 2"));
}

TEST_CASE("unusable demand is refused with the file that is at fault") {
  const Folder folder;
  const auto trace = folder.write("t.csv", kWideTrace);
  const auto journal = folder.write("j", journal_from(0s));
  CHECK(contains(why_no_demand({trace, trace}), "t.csv: is not a journal"));
  CHECK(contains(why_no_demand({journal, trace}), "t.csv: is not a journal"));
  CHECK(contains(why_no_demand({journal, journal}), "j: the ticks from"));
  CHECK(contains(why_no_demand({folder / "none"}), "none: no such trace"));
  CHECK(contains(why_no_demand({journal, folder / "none"}), "none: no such trace or journal"));
  CHECK(contains(why_no_demand({folder.write("empty", "")}), "empty: has no ticks"));
  CHECK(contains(why_no_demand({folder.write("empty.csv", "")}), "empty.csv:1: an empty trace"));
  std::filesystem::create_directory(folder / "nothing");
  CHECK(contains(why_no_demand({folder / "nothing"}), "nothing: has no ticks"));
  std::string other = journal_from(0s);
  other.replace(other.find("\"version\":1"), 11, "\"version\":9");
  CHECK(contains(why_no_demand({folder.write("new", other)}), "new:1"));
  CHECK(contains(why_no_demand({folder.write("json", "{\"a\": 1}\n")}), "is not a journal"));
  std::filesystem::create_directory(folder / "nothing");
  CHECK(contains(why_no_demand({folder / "nothing"}), "nothing"));
}

TEST_CASE("a trace may say which part of the use is the kernel's") {
  const Folder folder;
  const auto source = read_trace_source(
      {folder.write("t.csv", "t_s,a,b\nprovisioned_kib,1000,2000\nkernel_kib,50,60\n0,400,500\n")});
  REQUIRE(source.has_value());
  CHECK(source->trace.columns[1].kernel == 60_KiB);
  CHECK(source->trace.is_resident());
  CHECK(contains(
      why_no_demand({folder.write("k.csv", "t_s,a\nprovisioned_kib,9\nkernel_kib,x\n0,4\n")}),
      "k.csv:3"));
}
