#include "engine/workbench/trace.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "tests/unit/files/folder.h"

using namespace memcoord;
using namespace memcoord::workbench;
using memcoord::test::Folder;
using namespace std::chrono_literals;

namespace {

std::string why_no_trace(const std::string& text) {
  const Folder folder;
  const auto trace = read_trace(folder.write("t.csv", text));
  REQUIRE_FALSE(trace.has_value());
  const std::string line = trace.error().text();
  return line.substr(line.find("t.csv"));
}

const std::string kHead = "t_s,a,b\nprovisioned_kib,1000,2000\n";

}  // namespace

TEST_CASE("a wide trace has each VM's provisioned size and its use, at most that size") {
  const Folder folder;
  const auto trace =
      read_trace(folder.write("t.csv", "# a comment\n" + kHead + "0,10,20\n300,1500,40.7\n"));
  REQUIRE(trace.has_value());
  CHECK(trace->times == std::vector<std::chrono::seconds>{0s, 300s});
  REQUIRE(trace->columns.size() == 2);
  CHECK(trace->columns[0].name == "a");
  CHECK(trace->columns[0].provisioned == 1000_KiB);
  CHECK(trace->columns[0].used == std::vector{10_KiB, 1000_KiB});
  CHECK(trace->columns[1].used == std::vector{20_KiB, 40_KiB});
}

TEST_CASE("a folder of GWA-T-12 files is one trace over the moments of its first file") {
  const Folder folder;
  const std::string head =
      "Timestamp [ms];\tCPU cores;\tMemory capacity provisioned [KB];\tMemory usage [KB]\n";
  folder.write("1.csv", head + "1000;\t4;\t8000;\t10\n1300;\t4;\t8000;\t20\n");
  folder.write("2.csv", head + "900;\t4;\t500;\t1\n1100;\t4;\t500;\t2\n1300;\t4;\t500;\t3\n");
  const auto trace = read_trace(folder / "");
  REQUIRE(trace.has_value());
  CHECK(trace->times == std::vector<std::chrono::seconds>{0s, 300s});
  REQUIRE(trace->columns.size() == 2);
  CHECK(trace->columns[0].used == std::vector{10_KiB, 20_KiB});
  CHECK(trace->columns[1].used == std::vector{1_KiB, 3_KiB});
  CHECK(trace->columns[1].provisioned == 500_KiB);
}

TEST_CASE("an error in a trace is one line with its place") {
  CHECK(why_no_trace("").starts_with("t.csv:1: an empty trace"));
  CHECK(why_no_trace("# only a comment\n").starts_with("t.csv:1: an empty trace"));
  CHECK(why_no_trace("time,a\n").starts_with("t.csv:1: is not a trace: no column 't_s'"));
  CHECK(why_no_trace("t_s,a\n0,1\n").starts_with("t.csv:2: the row provisioned_kib is missing"));
  CHECK(why_no_trace("t_s,a\nprovisioned_kib,1,2\n")
            .starts_with("t.csv:2: provisioned_kib has 2 sizes"));
  CHECK(why_no_trace("t_s,a\nprovisioned_kib,0\n").starts_with("t.csv:2: column 'a' holds '0'"));
  CHECK(why_no_trace(kHead).starts_with("t.csv:2: no rows after the header"));
  CHECK(why_no_trace(kHead + "0,1,2\n300,,2\n").starts_with("t.csv:4: column 'a' has a hole"));
  CHECK(why_no_trace(kHead + "0,1,2\n300,1\n").starts_with("t.csv:4: 1 values for 2 VMs"));
  CHECK(why_no_trace(kHead + "0,1,-2\n").starts_with("t.csv:3: column 'b' holds '-2'"));
  CHECK(why_no_trace(kHead + "0,1,nan\n").starts_with("t.csv:3: column 'b' holds 'nan'"));
  CHECK(
      why_no_trace(kHead + "300,1,2\n0,1,2\n").starts_with("t.csv:4: time goes from 300 s to 0 s"));
  CHECK(why_no_trace(kHead + "0;1;2\n").starts_with("t.csv:3: semicolons"));
  CHECK(why_no_trace("Timestamp;x\n1;2\n")
            .starts_with("t.csv:1: no column 'Memory capacity provisioned'"));
}

TEST_CASE("a folder without traces, or with different formats, is refused") {
  const Folder empty;
  CHECK(read_trace(empty / "").error().message == "no .csv files in this folder");
  const Folder mixed;
  mixed.write("1.csv", kHead + "0,1,2\n");
  CHECK(read_trace(mixed / "").error().message ==
        "not a GWA-T-12 file, unlike the folder's other files");
}

TEST_CASE("a missing trace is not found, and an error about a large one says how to cut it") {
  CHECK(read_trace("/nowhere/t.csv").error().code == ErrorCode::not_found);
  const Folder folder;
  const auto path = folder.write("t.csv", kHead + "0,1,2\n300,1,2\n");
  const auto large = read_trace(path, {.values = 3});
  REQUIRE_FALSE(large.has_value());
  CHECK(large.error().code == ErrorCode::limit_exceeded);
  CHECK(large.error().hint.find("memcoord traces") != std::string::npos);
}

TEST_CASE("times beyond the longest trace are refused") {
  CHECK(why_no_trace(kHead + "0,1,2\n9000000000000000000,1,2\n")
            .starts_with("t.csv:4: '9000000000000000000' is not a time"));
  CHECK(why_no_trace(kHead + "0,1,2\n3162240001,1,2\n")
            .starts_with("t.csv:4: '3162240001' is not a time"));
  const std::string gwa =
      "Timestamp [ms];\tMemory capacity provisioned [KB];\tMemory usage [KB]\n"
      "4000000000000000;\t8000;\t10\n";
  const Folder folder;
  const auto late = read_trace(folder.write("late.csv", gwa + "4000000000000300;\t8000;\t20\n"));
  REQUIRE(late);
  CHECK(late->times.front() == 0s);
  CHECK(why_no_trace(gwa + "9000000000000000;\t8000;\t20\n")
            .starts_with("t.csv:3: '9000000000000000' is not a time in a trace that begins at"));
}

TEST_CASE("a row holds until the next one, and the last row as long as the one before it") {
  CHECK(holds_of({0s, 100s, 101s}) == std::vector<std::chrono::seconds>{100s, 1s, 1s});
  CHECK(holds_of({50s, 60s}) == std::vector<std::chrono::seconds>{10s, 10s});
  CHECK(holds_of({0s}) == std::vector<std::chrono::seconds>{300s});
  CHECK(holds_of({}).empty());
}

TEST_CASE("demand is the largest use within the footprint, at most the provisioned size") {
  const std::vector<std::chrono::seconds> times{0s, 300s, 600s, 900s, 1200s};
  const std::vector used{50_KiB, 10_KiB, 20_KiB, 5_KiB, 1_KiB};
  CHECK(trailing_maximum(times, used, 0s, 1_GiB) == used);
  CHECK(trailing_maximum(times, used, 600s, 1_GiB) ==
        std::vector{50_KiB, 50_KiB, 50_KiB, 20_KiB, 20_KiB});
  CHECK(trailing_maximum(times, used, 600s, 30_KiB).front() == 30_KiB);
}

TEST_CASE("a header with too many VMs is refused") {
  std::string header = "t_s";
  for (int i = 0; i <= 200'000; ++i) header += ",a";
  CHECK(why_no_trace(header + "\n") == "t.csv:1: more than 200000 VMs");
  CHECK(why_no_trace(std::string(5'000'000, ';') + "\n").starts_with("t.csv:1: no column"));
}

TEST_CASE("an endless line is an error anywhere in a trace") {
  const Folder folder;
  for (const std::string& start : {std::string(), std::string("t_s,a\n"), kHead, kHead + "0,1,2\n",
                                   std::string("# c\nTimestamp;Memory capacity provisioned;Memory "
                                               "usage\n1;2;2\n")}) {
    const auto path = folder.write("t.csv", start);
    std::filesystem::resize_file(path, std::uintmax_t{1} << 40U);
    const auto trace = read_trace(path);
    REQUIRE_FALSE(trace.has_value());
    CHECK(trace.error().message == "a line longer than 16 MiB");
  }
}

TEST_CASE("a VM's name may be quoted, or have an apostrophe before what looks like a formula") {
  const Folder folder;
  const auto trace =
      read_trace(folder.write("t.csv", "t_s,\"a;b,c\",'=d\nprovisioned_kib,1000,2000\n0,10,20\n"));
  REQUIRE(trace.has_value());
  CHECK(trace->columns[0].name == "a;b,c");
  CHECK(trace->columns[1].name == "=d");
}
