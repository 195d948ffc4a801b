#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/observers/journal.h"
#include "engine/observers/journal_files.h"
#include "engine/observers/packed_journal.h"
#include "engine/observers/tick_json.h"
#include "tests/unit/files/folder.h"
#include "tests/unit/observers/ticks.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const WallTime kStart = std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 10h;

/// A tick so long after kStart, on both clocks.
Tick tick_after(std::uint64_t number, std::chrono::seconds time) {
  Tick tick = busy_tick();
  tick.number = number;
  tick.snapshot.wall_time = kStart + time;
  tick.snapshot.taken_at = MonotonicTime(1000s + time);
  return tick;
}

void write_lines(const fs::path& path, const std::vector<Tick>& ticks) {
  std::ofstream file(path);
  for (const Tick& tick : ticks) file << to_json_line(tick) << '\n';
}

struct Reading {
  std::vector<std::uint64_t> numbers;
  std::vector<std::string> notes;
  std::optional<Error> error;
  [[nodiscard]] bool notes_have(const std::string& text) const {
    return std::any_of(notes.begin(), notes.end(), [&](const std::string& note) {
      return note.find(text) != std::string::npos;
    });
  }
};

Reading read_all(const std::vector<fs::path>& paths) {
  Reading reading;
  auto reader = JournalReader::open(paths);
  if (!reader) {
    reading.error = reader.error();
    return reading;
  }
  while (true) {
    const auto tick = reader->next();
    for (const Note& note : reader->drain_notes()) reading.notes.push_back(note.text);
    if (!tick) reading.error = tick.error();
    if (!tick || !*tick) return reading;
    reading.numbers.push_back((*tick)->number);
  }
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("several journals are read in the order of their first ticks") {
  const Folder folder;
  write_lines(folder / "a", {tick_after(3, 120s), tick_after(4, 121s)});
  write_lines(folder / "b", {tick_after(1, 0s), tick_after(2, 1s)});
  const Reading reading = read_all({folder / "a", folder / "b"});
  CHECK(reading.numbers == Numbers{1, 2, 3, 4});
  CHECK(reading.notes.empty());
  CHECK_FALSE(reading.error);
}

TEST_CASE("a folder is read segment by segment, without its other files") {
  const Folder folder;
  write_lines(folder / "ticks-20260131T101500Z-2.jsonl", {tick_after(3, 900s)});
  write_lines(folder / "ticks-20260131T101500Z.jsonl", {tick_after(2, 900s)});
  write_lines(folder / "ticks-20260131T100000Z.jsonl", {tick_after(1, 0s)});
  std::ofstream(folder / "README") << "no journal";
  fs::create_directory(folder / "x.jsonl");
  CHECK(read_all({folder / "."}).numbers == Numbers{1, 2, 3});
}

TEST_CASE("a rotated journal in a folder comes before the newer file") {
  const Folder folder;
  write_lines(folder / "ticks.jsonl", {tick_after(2, 60s)});
  write_lines(folder / "ticks.jsonl.1", {tick_after(1, 0s)});
  CHECK(read_all({folder / "."}).numbers == Numbers{1, 2});
}

TEST_CASE("a journal without a tick is refused in one way, whatever its form") {
  const Folder folder;
  fs::create_directory(folder / "folder");
  fs::create_directory(folder / "segments");
  std::ofstream(folder / "segments/ticks-20260131T101500Z.jsonl").flush();
  std::ofstream(folder / "empty").flush();
  std::ofstream(folder / "cut") << R"({"format":"memcoord-tick","ver)";
  std::ofstream(folder / "packed") << kPackedStart << kPackedVersion << '\n';
  for (const char* name : {"folder", "segments", "empty", "cut", "packed"}) {
    CAPTURE(name);
    const Reading reading = read_all({folder / name});
    REQUIRE(reading.error);
    CHECK(reading.error->message == no_ticks("").message);
    CHECK(reading.error->object.starts_with((folder / name).string()));
  }
  CHECK(read_all({folder / "empty", folder / "cut"}).error->message == no_ticks("").message);
}

TEST_CASE("a missing path is refused") {
  const Folder folder;
  write_lines(folder / "a", {tick_after(1, 0s)});
  const auto missing = read_all({folder / "a", folder / "missing"});
  REQUIRE(missing.error);
  CHECK(missing.error->code == ErrorCode::not_found);
}

TEST_CASE("among several files, a damaged one and one of a newer version cost their own rest") {
  const Folder folder;
  write_lines(folder / "a", {tick_after(1, 0s)});
  std::ofstream(folder / "a", std::ios::app) << "rubbish\n" << to_json_line(tick_after(9, 1s));
  write_lines(folder / "b", {tick_after(2, 60s)});
  std::ofstream(folder / "c") << R"({"format":"memcoord-tick","version":99})" << '\n';
  write_lines(folder / "d", {tick_after(3, 120s)});
  const Reading reading = read_all({folder / "a", folder / "b", folder / "c", folder / "d"});
  CHECK(reading.numbers == Numbers{1, 2, 3});
  CHECK_FALSE(reading.error);
  CHECK(reading.notes.size() == 2);
  CHECK(reading.notes_have("a:2: damaged"));
  CHECK(reading.notes_have("journal version 99 is not known"));
}

TEST_CASE("among several files, a packed one of a newer version costs its own ticks") {
  const Folder folder;
  std::ofstream(folder / "a.mcj") << "memcoord-packed 99\nnew";
  write_lines(folder / "b", {tick_after(1, 0s)});
  const Reading reading = read_all({folder / "a.mcj", folder / "b"});
  CHECK(reading.numbers == Numbers{1});
  CHECK_FALSE(reading.error);
  CHECK(reading.notes_have("a.mcj: packed journal version 99 is not known"));
  const Reading alone = read_all({folder / "a.mcj"});
  REQUIRE(alone.error);
  CHECK(alone.error->message == "packed journal version 99 is not known");
}

TEST_CASE("a segment of a newer version at the start of a folder costs its own ticks") {
  const Folder folder;
  std::ofstream(folder / "ticks-20260130T100000Z.mcj") << "memcoord-packed 99\nnew";
  write_lines(folder / "ticks-20260131T100000Z.jsonl", {tick_after(1, 0s)});
  const Reading reading = read_all({folder / ""});
  CHECK(reading.numbers == Numbers{1});
  CHECK(reading.notes_have("packed journal version 99 is not known"));
}

TEST_CASE("files without a tick leave the others in the order of their times") {
  const Folder folder;
  write_lines(folder / "late", {tick_after(2, 60s)});
  std::ofstream(folder / "empty");
  std::ofstream(folder / "bad") << "rubbish\n";
  write_lines(folder / "early", {tick_after(1, 0s)});
  const Reading reading =
      read_all({folder / "late", folder / "empty", folder / "bad", folder / "early"});
  CHECK(reading.numbers == Numbers{1, 2});
  CHECK_FALSE(reading.notes_have("different hosts"));
}

TEST_CASE("files of which none has a tick are an error") {
  const Folder folder;
  std::ofstream(folder / "a") << "rubbish\n";
  std::ofstream(folder / "b") << "rubbish\n";
  const Reading reading = read_all({folder / "a", folder / "b"});
  REQUIRE(reading.error);
  CHECK(reading.error->object == (folder / "a").string());
}

TEST_CASE("a file that was cut off is noted, and the next one goes on") {
  const Folder folder;
  write_lines(folder / "a", {tick_after(1, 0s)});
  std::ofstream(folder / "a", std::ios::app) << R"({"format":"memcoord-tick","ver)";
  write_lines(folder / "b", {tick_after(2, 60s)});
  const Reading reading = read_all({folder / "a", folder / "b"});
  CHECK(reading.numbers == Numbers{1, 2});
  CHECK(reading.notes_have("a: is cut off; read up to line 1"));
}

TEST_CASE("clocks that jump are noted, and a pause between two runs is not") {
  const Folder folder;
  write_lines(folder / "a", {tick_after(1, 0s), tick_after(1, 900s)});
  CHECK(read_all({folder / "a"}).notes.empty());
  Tick ahead = tick_after(2, 1s);
  ahead.snapshot.wall_time += 1h;
  Tick back = tick_after(3, 2s);
  write_lines(folder / "b", {tick_after(1, 0s), ahead, back});
  const Reading reading = read_all({folder / "b"});
  CHECK(reading.numbers == Numbers{1, 2, 3});
  CHECK(reading.notes_have("the clock jumps from 2026-01-31 10:00:00 to 2026-01-31 11:00:01"));
  CHECK(reading.notes_have("the clock goes back from 2026-01-31 11:00:01 to 2026-01-31 10:00:02"));
}

TEST_CASE("journals that overlap or differ in the host's memory seem to be of different hosts") {
  const Folder folder;
  write_lines(folder / "a", {tick_after(1, 0s), tick_after(2, 60s)});
  Tick other = tick_after(1, 30s);
  other.snapshot.host.total = 16_GiB;
  write_lines(folder / "b", {other});
  const Reading reading = read_all({folder / "a", folder / "b"});
  CHECK(reading.numbers == Numbers{1, 2, 1});
  CHECK(reading.notes_have("b: begins at 2026-01-31 10:00:30, before " + (folder / "a").string() +
                           " ends (2026-01-31 10:01:00)"));
  CHECK(reading.notes_have("is of a host with 16 GiB"));
}

TEST_CASE("a journal of a thousand jumps gets a bounded number of notes") {
  const Folder folder;
  std::vector<Tick> ticks;
  for (std::uint64_t i = 0; i < 1000; ++i) ticks.push_back(tick_after(i + 1, i % 2 * 3600s));
  write_lines(folder / "a", ticks);
  const Reading reading = read_all({folder / "a"});
  CHECK(reading.numbers.size() == 1000);
  CHECK(reading.notes.size() == JournalReader::kMostNotes);
  CHECK(reading.notes_have("further notes on these journals are left out"));
}

TEST_CASE("the name of a segment says when it begins") {
  CHECK(segment_name(kStart + 2500ms) == "ticks-20260131T100002Z");
  CHECK(segment_name(kStart, 3) == "ticks-20260131T100000Z-3");
  CHECK(segment_begin("ticks-20260131T100002Z.jsonl") == kStart + 2s);
  CHECK(segment_begin("ticks-20260131T100002Z-3.mcj") == kStart + 2s);
  for (const char* name : {"ticks.jsonl", "ticks-20260231T100002Z.jsonl", "ticks-2026",
                           "ticks--0260131T100002Z", "ticks-20260131T250002Z.mcj", ""}) {
    CAPTURE(name);
    CHECK_FALSE(segment_begin(name));
  }
}
