#include "engine/workbench/shard.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/cli/scratch_files.h"

using namespace memcoord;
using namespace memcoord::workbench;
using memcoord::testing::ScratchFiles;

namespace {

constexpr const char* kSweep = "0123456789abcdef";

/// The shards of a sweep of so many rows, "row 1" and so on.
std::vector<ShardFile> shards_of(std::size_t rows, std::size_t count) {
  std::vector<ShardFile> files;
  for (std::size_t index = 1; index <= count; ++index) {
    ShardFile file{
        "part" + std::to_string(index), {"density", {index, count}, rows, kSweep}, "h", {}};
    for (const std::size_t cell : file.label.shard.cells(rows)) {
      file.rows.push_back("row " + std::to_string(cell + 1));
    }
    files.push_back(std::move(file));
  }
  return files;
}

std::string refusal_of(const std::vector<ShardFile>& files) {
  const auto lines = merge_shards(files);
  return lines ? "" : lines.error().text();
}

}  // namespace

TEST_CASE("a shard is named by its number and the number of shards") {
  CHECK(parse_shard("2/4").value() == Shard{2, 4});
  CHECK(parse_shard("1/1").value() == Shard{1, 1});
  for (const char* text : {"", "2", "2/", "/4", "0/4", "2/0", "2/4x", "-1/4", "2 /4", "1/100001",
                           "99999999999999999999/4"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_shard(text));
  }
  CHECK(parse_shard("5/4").error().text() == "there is no shard 5 of 4; shards count from 1");
}

TEST_CASE("shards share the cells of a sweep, none of them twice") {
  std::set<std::size_t> cells;
  std::size_t count = 0;
  for (std::size_t index = 1; index <= 3; ++index) {
    for (const std::size_t cell : Shard{index, 3}.cells(10)) {
      CHECK(Shard{index, 3}.has(cell));
      CHECK(cells.insert(cell).second);
      ++count;
    }
  }
  CHECK(count == 10);
  CHECK(Shard{4, 4}.cells(3).empty());
}

TEST_CASE("the line of a shard's file is read as it was written") {
  const ShardLabel label{"density", {2, 4}, 10, kSweep};
  const std::string line = shard_line(label);
  CHECK(line == "# memcoord density, shard 2 of 4, 10 rows in all, sweep 0123456789abcdef");
  CHECK(parse_shard_line(line) == label);
  for (std::size_t size = 0; size < line.size(); ++size) {
    CHECK_FALSE(parse_shard_line(line.substr(0, size)));
  }
  CHECK_FALSE(parse_shard_line(line + "0"));
  CHECK_FALSE(parse_shard_line("# memcoord density, shard 5 of 4, 10 rows in all, sweep " +
                               std::string(kSweep)));
}

TEST_CASE("shards in any order give the rows of the whole sweep") {
  for (const std::size_t count : std::vector<std::size_t>{1, 2, 3, 10, 12}) {
    CAPTURE(count);
    auto files = shards_of(10, count);
    std::rotate(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(count / 2), files.end());
    std::vector<std::string> expected{"h"};
    for (int row = 1; row <= 10; ++row) expected.push_back("row " + std::to_string(row));
    CHECK(merge_shards(files).value() == expected);
  }
}

TEST_CASE("shards that are missing, double or of another sweep are named") {
  auto files = shards_of(10, 4);
  CHECK(refusal_of({}) == "there are no shards");
  CHECK(refusal_of({files[0], files[1], files[3]}) == "shard 3 of 4 missing");
  CHECK(refusal_of({files[1]}) == "shards 1, 3, 4 of 4 missing");
  CHECK(refusal_of({shards_of(10, 9)[0]}) == "shards 2, 3, 4, 5, 6 and 3 more of 9 missing");
  CHECK(refusal_of({files[0], files[1], files[0]}) == "part1: is shard 1 again, as part1");
  for (int what = 0; what < 4; ++what) {
    auto mixed = shards_of(10, 4);
    ShardFile& other = mixed[2];
    if (what == 0) other.label.sweep = "fedcba9876543210";
    if (what == 1) other.label.command = "compare";
    if (what == 2) other.label.shard.count = 5;
    if (what == 3) other.heading = "other";
    CAPTURE(what);
    CHECK(refusal_of(mixed).starts_with("part3: is a shard of another sweep than part1; "));
  }
}

TEST_CASE("a shard's file has its line, its heading and all of its rows") {
  const ScratchFiles files;
  const std::string label = shard_line({"density", {2, 4}, 6, kSweep}) + "\n";
  const auto read = [&](const std::string& text) { return read_shard(files.write("part", text)); };
  const auto problem = [&](const std::string& text) { return read(text).error().message; };
  CHECK(read(label + "h\na\nb\n")->rows == std::vector<std::string>{"a", "b"});
  CHECK(problem(label + "h\na\n") == "is not whole: it has 1 of 2 rows");
  CHECK(problem(label + "h\na\nb") == "is not whole: it has 1 of 2 rows");
  CHECK(problem(label + "h\na\nb\nc\n") == "is not whole: it has 3 of 2 rows");
  CHECK(problem(label) == "is not whole: it has 0 of 2 rows");
  CHECK(problem("") == "is not a shard");
  CHECK(problem("order,host\n1,1\n") == "is not a shard");
  CHECK(read_shard(files.path("none")).error().message == "no such shard");
}

TEST_CASE("a sweep's identity depends on every part and on their bounds") {
  const auto id_of = [](const std::vector<std::string>& parts) {
    SweepId id;
    for (const std::string& part : parts) id.add(part);
    return id.text();
  };
  CHECK(id_of({"a", "b"}) == id_of({"a", "b"}));
  CHECK(id_of({"a", "b"}) != id_of({"ab"}));
  CHECK(id_of({"a", "b"}) != id_of({"ab", ""}));
  CHECK(id_of({"a", "b"}) != id_of({"b", "a"}));
  CHECK(id_of({}).size() == 16);
}
