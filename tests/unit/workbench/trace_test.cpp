#include "engine/workbench/trace.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace memcoord;
using namespace memcoord::workbench;
using namespace std::chrono_literals;

namespace {

/// A folder of its own that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "memcoord-trace-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string why_no_trace(const std::string& text) {
  const Folder folder;
  const auto trace = read_trace(folder.write("t.csv", text));
  REQUIRE_FALSE(trace.has_value());
  const std::string line = trace.error().text();
  return line.substr(line.find("t.csv"));
}

const std::string kHead = "t_s,a,b\nprovisioned_kib,1000,2000\n";

}  // namespace

TEST_CASE("a wide trace gives each VM its size and its use, capped at what it was sold") {
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

TEST_CASE("a folder of GWA-T-12 files is one trace, over the moments of the first") {
  const Folder folder;
  const std::string head =
      "Timestamp [ms];\tCPU cores;\tMemory capacity provisioned [KB];\tMemory usage [KB]\n";
  folder.write("1.csv", head + "1000;\t4;\t8000;\t10\n1300;\t4;\t8000;\t20\n");
  folder.write("2.csv", head + "900;\t4;\t500;\t1\n1100;\t4;\t500;\t2\n1300;\t4;\t500;\t3\n");
  const auto trace = read_trace(folder.path());
  REQUIRE(trace.has_value());
  CHECK(trace->times == std::vector<std::chrono::seconds>{0s, 300s});
  REQUIRE(trace->columns.size() == 2);
  CHECK(trace->columns[0].used == std::vector{10_KiB, 20_KiB});
  CHECK(trace->columns[1].used == std::vector{1_KiB, 3_KiB});
  CHECK(trace->columns[1].provisioned == 500_KiB);
}

TEST_CASE("a trace that cannot be read says where and why, in one line") {
  CHECK(why_no_trace("").starts_with("t.csv:1: an empty trace"));
  CHECK(why_no_trace("# only a comment\n").starts_with("t.csv:1: an empty trace"));
  CHECK(why_no_trace("time,a\n").starts_with("t.csv:1: no column 't_s'"));
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

TEST_CASE("a folder of mixed formats, or of none, is refused") {
  const Folder empty;
  CHECK(read_trace(empty.path()).error().message == "no .csv files in this folder");
  const Folder mixed;
  mixed.write("1.csv", kHead + "0,1,2\n");
  CHECK(read_trace(mixed.path()).error().message == "not a GWA-T-12 file among others that are");
}

TEST_CASE("a missing trace is not found, and one too large to hold says how to cut it") {
  CHECK(read_trace("/nowhere/t.csv").error().code == ErrorCode::not_found);
  const Folder folder;
  const auto path = folder.write("t.csv", kHead + "0,1,2\n300,1,2\n");
  const auto large = read_trace(path, {.values = 3});
  REQUIRE_FALSE(large.has_value());
  CHECK(large.error().code == ErrorCode::limit_exceeded);
  CHECK(large.error().hint.find("memcoord traces") != std::string::npos);
}

TEST_CASE("times that no trace reaches are refused, before anything is counted with them") {
  CHECK(why_no_trace(kHead + "0,1,2\n9000000000000000000,1,2\n")
            .starts_with("t.csv:4: '9000000000000000000' is no time"));
  CHECK(why_no_trace(kHead + "0,1,2\n3162240001,1,2\n")
            .starts_with("t.csv:4: '3162240001' is no time"));
  const std::string gwa =
      "Timestamp [ms];\tMemory capacity provisioned [KB];\tMemory usage [KB]\n"
      "4000000000000000;\t8000;\t10\n";
  const Folder folder;
  const auto late = read_trace(folder.write("late.csv", gwa + "4000000000000300;\t8000;\t20\n"));
  REQUIRE(late);
  CHECK(late->times.front() == 0s);
  CHECK(why_no_trace(gwa + "9000000000000000;\t8000;\t20\n")
            .starts_with("t.csv:3: '9000000000000000' is no time in a trace that begins at"));
}

TEST_CASE("a row's values hold until the next row, the last one's as long as those before") {
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

TEST_CASE("a header of more VMs than a trace may have is refused") {
  std::string header = "t_s";
  for (int i = 0; i <= 200'000; ++i) header += ",a";
  CHECK(why_no_trace(header + "\n") == "t.csv:1: more than 200000 VMs");
  CHECK(why_no_trace(std::string(5'000'000, ';') + "\n").starts_with("t.csv:1: no column"));
}

TEST_CASE("a line without an end is an error wherever it stands") {
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

TEST_CASE("names may stand in quotes, and one that looks like a formula behind an apostrophe") {
  const Folder folder;
  const auto trace =
      read_trace(folder.write("t.csv", "t_s,\"a;b,c\",'=d\nprovisioned_kib,1000,2000\n0,10,20\n"));
  REQUIRE(trace.has_value());
  CHECK(trace->columns[0].name == "a;b,c");
  CHECK(trace->columns[1].name == "=d");
}
