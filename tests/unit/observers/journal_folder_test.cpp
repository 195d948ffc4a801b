#include "engine/observers/journal_folder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/observers/journal_files.h"
#include "engine/observers/packed_journal.h"
#include "engine/observers/tick_json.h"
#include "tests/unit/files/folder.h"
#include "tests/unit/files/full_disk.h"
#include "tests/unit/observers/ticks.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const WallTime kBegin = std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 10h;

Tick tick_at(std::uint64_t number, std::chrono::seconds time) {
  Tick tick = busy_tick();
  tick.number = number;
  tick.snapshot.wall_time = kBegin + time;
  return tick;
}

std::unique_ptr<FolderJournal> open_folder(const fs::path& path, const JournalLimits& limits = {},
                                           Packing packing = Packing::beside) {
  auto journal = FolderJournal::open(path, limits, packing);
  if (!journal) FAIL(journal.error().text());
  return *std::move(journal);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;
using Ticks = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a run in virtual time leaves nothing to pack but its newest segment") {
  const Folder folder;
  constexpr int kSegments = 20;
  {
    const auto journal = open_folder(folder / "j/", {}, Packing::first);
    for (int i = 0; i < kSegments; ++i) {
      for (int tick = 0; tick < 100; ++tick) journal->observe(tick_at(1, i * 15min + tick * 1s));
      const Names names = names_in(folder / "j/");
      // One is being packed while the newest is written.
      CHECK(std::count_if(names.begin(), names.end(),
                          [](const std::string& name) { return name.ends_with(".jsonl"); }) <= 2);
    }
  }
  const Names names = names_in(folder / "j/");
  REQUIRE(names.size() == kSegments);
  for (const std::string& name : names) {
    CHECK(name.ends_with(name == names.back() ? ".jsonl" : ".mcj"));
  }
}

TEST_CASE("the newest segment has plain lines, and older ones are packed") {
  const Folder folder;
  const auto journal = open_folder(folder / "j/");
  journal->observe(tick_at(1, 0s));
  journal->observe(tick_at(2, 1s));
  journal->observe(tick_at(3, 15min));
  journal->wait();
  CHECK(names_in(folder / "j") ==
        Names{"ticks-20260131T100000Z.mcj", "ticks-20260131T101500Z.jsonl"});
  CHECK(numbers_in(folder / "j") == Ticks{1, 2, 3});
  CHECK(journal->lost() == 0);
  CHECK(journal->drain_notes().empty());
}

TEST_CASE("a new run continues the newest segment, and packs the leftovers of a crash") {
  const Folder folder;
  const fs::path old = folder / "ticks-20260131T090000Z.jsonl";
  const fs::path newest = folder / "ticks-20260131T100000Z.jsonl";
  std::ofstream(old) << to_json_line(tick_at(1, -1h)) << "\n"
                     << R"({"format":"memco)";
  std::ofstream(newest) << to_json_line(tick_at(2, 0s)) << "\n"
                        << R"({"format":"memcoord-tick","ver)";
  const auto journal = open_folder(folder / "");
  journal->observe(tick_at(3, 60s));
  journal->wait();
  CHECK(names_in(folder / "") ==
        Names{"ticks-20260131T090000Z.mcj", "ticks-20260131T100000Z.jsonl"});
  CHECK(numbers_in(folder / "") == Ticks{1, 2, 3});
}

TEST_CASE("a segment that a crash left in both forms is read once, and the plain one removed") {
  const Folder folder;
  const fs::path plain = folder / "ticks-20260131T090000Z.jsonl";
  std::ofstream(plain) << to_json_line(tick_at(1, -1h)) << "\n";
  REQUIRE(pack_file(plain, folder / "ticks-20260131T090000Z.mcj"));
  CHECK(numbers_in(folder / "") == Ticks{1});
  const auto journal = open_folder(folder / "");
  journal->observe(tick_at(2, 0s));
  journal->wait();
  CHECK_FALSE(fs::exists(plain));
  CHECK(numbers_in(folder / "") == Ticks{1, 2});
}

TEST_CASE("a damaged segment stays as it is, and a note says so once") {
  const Folder folder;
  const fs::path damaged = folder / "ticks-20260131T090000Z.jsonl";
  std::ofstream(damaged) << to_json_line(tick_at(1, -1h)) << "\nrubbish\n";
  const auto journal = open_folder(folder / "");
  journal->observe(tick_at(2, 0s));
  journal->wait();
  journal->observe(tick_at(3, 1h));
  journal->wait();
  CHECK(fs::exists(damaged));
  const auto notes = journal->drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].text.find("cannot be packed, and stays as it is: ") != std::string::npos);
  CHECK(notes[0].text.find("jsonl:2: damaged") != std::string::npos);
}

TEST_CASE("segments that ended before --journal-keep are removed, and other files stay") {
  const Folder folder;
  folder.write("README", "not a segment");
  folder.write("ticks.jsonl", "not a segment");
  const auto journal = open_folder(folder / "", {.max = {}, .keep = 1h});
  for (std::uint64_t i = 0; i <= 8; ++i) {
    journal->observe(tick_at(i + 1, std::chrono::minutes(15 * i)));
    journal->wait();
  }
  // The first four ended an hour ago or earlier.
  CHECK(names_in(folder / "") == Names{"README", "ticks-20260131T110000Z.mcj",
                                       "ticks-20260131T111500Z.mcj", "ticks-20260131T113000Z.mcj",
                                       "ticks-20260131T114500Z.mcj", "ticks-20260131T120000Z.jsonl",
                                       "ticks.jsonl"});
}

TEST_CASE("all segments together stay within --journal-max") {
  const Folder folder;
  const auto journal = open_folder(folder / "", {.max = 1_MiB, .keep = {}});
  const auto all_bytes = [&] {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(folder / "")) bytes += entry.file_size();
    return bytes;
  };
  for (std::uint64_t i = 0; i < 1500; ++i) {
    Tick tick = crowded_tick(i + 1, 30);
    tick.snapshot.wall_time = kBegin + std::chrono::seconds(i);
    // Texts that do not compress.
    tick.notes = {{Note::Severity::info, std::to_string(i * 0x9e3779b97f4a7c15ULL)}};
    journal->observe(tick);
    if (i % 50 == 0) journal->wait();
    if (i % 50 == 0) CHECK(all_bytes() <= (1_MiB).bytes());
  }
  CHECK(names_in(folder / "").size() > 2);
  CHECK(journal->lost() == 0);
}

TEST_CASE("leftovers of a crash are packed before the oldest are removed for --journal-max") {
  const Folder folder;
  // Six plain segments of a quarter of the limit each; packed, they fit.
  constexpr int kSegments = 6;
  for (int i = 0; i < kSegments; ++i) {
    const WallTime begin = kBegin - std::chrono::minutes(20 * (kSegments - i));
    std::ofstream file(fs::path(folder / "") / (segment_name(begin) + std::string(kPlainEnding)));
    std::uintmax_t size = 0;
    for (std::uint64_t number = 1; size < (256_KiB).bytes(); ++number) {
      Tick tick = crowded_tick(number, 30);
      tick.snapshot.wall_time = begin + std::chrono::seconds(number);
      const std::string line = to_json_line(tick) + "\n";
      file << line;
      size += line.size();
    }
  }
  const auto journal = open_folder(folder / "", {.max = 1_MiB, .keep = {}});
  journal->observe(tick_at(1, 0s));
  journal->wait();
  const Names names = names_in(folder / "");
  REQUIRE(names.size() == kSegments + 1);
  for (int i = 0; i < kSegments; ++i) CHECK(names[static_cast<std::size_t>(i)].ends_with(".mcj"));
  CHECK(journal->drain_notes().empty());
}

TEST_CASE("a journal that got no tick leaves no folder and no file that it has made") {
  const Folder folder;
  (void)open_folder(folder / "new/");
  CHECK_FALSE(fs::exists(folder / "new"));
  (void)open_journal(folder / "j", {}).value();
  CHECK_FALSE(fs::exists(folder / "j"));
  fs::create_directory(folder / "old");
  (void)open_folder(folder / "old/");
  CHECK(fs::exists(folder / "old"));
  folder.write("empty", "");
  (void)open_journal(folder / "empty", {}).value();
  CHECK(fs::exists(folder / "empty"));
  const auto journal = open_folder(folder / "used/");
  journal->observe(tick_at(1, 0s));
  CHECK(journal->size() > 0);
}

TEST_CASE("what is expired follows from the times and sizes of the segments alone") {
  const std::vector<Segment> segments{
      {"a", kBegin, 100}, {"b", kBegin + 1h, 100}, {"c", kBegin + 2h, 100}};
  const auto names = [&](const JournalLimits& limits, WallTime now, std::uint64_t room) {
    std::string text;
    for (const Segment& one : expired(segments, limits, now, room)) text += one.name;
    return text;
  };
  CHECK(names({}, kBegin + 1000h, 1'000'000) == "");
  CHECK(names({.max = {}, .keep = 2h}, kBegin + 3h - 1s, 0) == "");
  CHECK(names({.max = {}, .keep = 2h}, kBegin + 3h, 0) == "a");
  CHECK(names({.max = {}, .keep = 1min}, kBegin + 1000h, 0) == "ab");
  CHECK(names({.max = 1_KiB, .keep = {}}, kBegin, 724) == "");
  CHECK(names({.max = 1_KiB, .keep = {}}, kBegin, 725) == "a");
  CHECK(names({.max = 1_KiB, .keep = {}}, kBegin, 5000) == "abc");
}

TEST_CASE("a folder has one writer, and a folder that cannot be made is refused") {
  const Folder folder;
  const auto journal = open_folder(folder / "j/");
  const auto second = FolderJournal::open(folder / "j/", {});
  REQUIRE_FALSE(second);
  CHECK(second.error().message == "another memcoord writes its journal here");
  const auto error = FolderJournal::open(folder / "no/such/", {}).error();
  CHECK(error.message.starts_with("the journal cannot be written"));
  folder.write("file", "text");
  CHECK_FALSE(FolderJournal::open(folder / "file/", {}));
}

TEST_CASE("in a removed folder ticks are lost and counted once, until it is there again") {
  const Folder folder;
  const auto journal = open_folder(folder / "j/");
  journal->observe(tick_at(1, 0s));
  journal->wait();
  fs::remove_all(folder / "j");
  journal->observe(tick_at(2, 1s));
  journal->observe(tick_at(3, 20min));
  CHECK(journal->lost() == 2);
  REQUIRE(journal->loss());
  CHECK(journal->loss()->ticks == 2);
  CHECK(journal->drain_notes().size() == 1);
  fs::create_directory(folder / "j");
  journal->observe(tick_at(4, 20min));
  CHECK_FALSE(journal->loss());
  const auto notes = journal->drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].text.find("2 ticks were lost") != std::string::npos);
  CHECK(numbers_in(folder / "j") == Ticks{4});
}

TEST_CASE("a clock that is set back begins a segment of its own") {
  const Folder folder;
  const auto journal = open_folder(folder / "");
  journal->observe(tick_at(1, 0s));
  journal->observe(tick_at(2, -60s));
  journal->wait();
  CHECK(names_in(folder / "") ==
        Names{"ticks-20260131T095900Z.jsonl", "ticks-20260131T100000Z.mcj"});
}

TEST_CASE("a path means a folder if it is one or ends in a slash, and a file keeps no time") {
  const Folder folder;
  CHECK(means_folder(folder / ""));
  CHECK(means_folder(folder / "new/"));
  CHECK_FALSE(means_folder(folder / "new"));
  CHECK(open_journal(folder / "j", {.max = 1_MiB, .keep = {}}).has_value());
  const auto refused = open_journal(folder / "j", {.max = {}, .keep = 1h});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().object == "--journal-keep");
}
