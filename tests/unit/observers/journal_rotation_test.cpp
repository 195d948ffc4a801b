#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/observers/journal.h"
#include "tests/unit/files/folder.h"
#include "tests/unit/files/full_disk.h"
#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

namespace fs = std::filesystem;
using Numbers = std::vector<std::uint64_t>;

constexpr std::uint64_t kHalf = 512 * 1024;

/// A tick whose line has about this size.
Tick tick_of_size(std::uint64_t number, std::size_t bytes) {
  Tick tick;
  tick.number = number;
  tick.policy = "band";
  tick.notes = {{Note::Severity::info, std::string(bytes, 'x')}};
  return tick;
}

/// A journal of at most 1 MiB, to which a test adds numbered ticks.
struct RotatedJournal {
  RotatedJournal() { open(); }
  void open() {
    writer.reset();
    auto opened = JournalWriter::open(path(), 1_MiB);
    if (!opened) FAIL(opened.error().text());
    writer = *std::move(opened);
  }
  void add(std::size_t count, std::size_t bytes = 100'000) {
    for (std::size_t i = 0; i < count; ++i) writer->observe(tick_of_size(++number, bytes));
  }
  [[nodiscard]] fs::path path() const { return folder / "j"; }
  [[nodiscard]] fs::path older() const { return folder / "j.1"; }

  Folder folder;
  std::unique_ptr<JournalWriter> writer;
  std::uint64_t number = 0;
};

Numbers from_to(std::uint64_t first, std::uint64_t last) {
  Numbers numbers;
  for (std::uint64_t number = first; number <= last; ++number) numbers.push_back(number);
  return numbers;
}

}  // namespace

TEST_CASE("a journal with a limit is rotated before it has more than half, and loses no tick") {
  RotatedJournal journal;
  journal.add(5);
  CHECK_FALSE(fs::exists(journal.older()));
  journal.add(1);
  CHECK(numbers_in(journal.older()) == from_to(1, 5));
  CHECK(numbers_in(journal.path()) == from_to(6, 6));
  CHECK(journal.writer->lost() == 0);
  CHECK(journal.writer->drain_notes().empty());
}

TEST_CASE("a rotation replaces the older file, and both stay within the limit") {
  RotatedJournal journal;
  for (int i = 0; i < 40; ++i) {
    journal.add(1, 20'000 + static_cast<std::size_t>(i) * 5'000);
    const auto older = fs::exists(journal.older()) ? fs::file_size(journal.older()) : 0;
    CHECK(fs::file_size(journal.path()) + older <= 2 * kHalf);
  }
  const Numbers older = numbers_in(journal.older());
  const Numbers newer = numbers_in(journal.path());
  CHECK(older.front() > 1);
  CHECK(older == from_to(older.front(), newer.front() - 1));
  CHECK(newer == from_to(newer.front(), 40));
}

TEST_CASE("a journal without a limit is not rotated") {
  const Folder folder;
  const auto writer = *JournalWriter::open(folder / "j");
  for (std::uint64_t i = 1; i <= 20; ++i) writer->observe(tick_of_size(i, 100'000));
  CHECK_FALSE(fs::exists(folder / "j.1"));
  CHECK(numbers_in(folder / "j").size() == 20);
}

TEST_CASE("a run goes on where the last one ended, and rotates by the whole file's size") {
  RotatedJournal journal;
  journal.add(4);
  journal.open();
  journal.add(1);
  CHECK_FALSE(fs::exists(journal.older()));
  journal.add(1);
  CHECK(numbers_in(journal.older()) == from_to(1, 5));
}

TEST_CASE(
    "a journal that is already too large becomes the older file, and the next rotation replaces "
    "it") {
  RotatedJournal journal;
  journal.writer = *JournalWriter::open(journal.path());
  journal.add(20);
  journal.open();
  journal.add(1);
  CHECK(numbers_in(journal.older()) == from_to(1, 20));
  CHECK(numbers_in(journal.path()) == from_to(21, 21));
  const auto notes = journal.writer->drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().severity == Note::Severity::warning);
  CHECK(notes.front().text.find("MiB, over half of --journal-max; the next rotation") !=
        std::string::npos);
  journal.add(5);
  CHECK(numbers_in(journal.older()) == from_to(21, 25));
}

TEST_CASE("a tick larger than half of the limit is lost and said, and the next one is written") {
  RotatedJournal journal;
  journal.add(1);
  journal.add(1, kHalf);
  const auto notes = journal.writer->drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().text.find("a tick larger than half of --journal-max") != std::string::npos);
  journal.add(1);
  CHECK(numbers_in(journal.path()) == Numbers{1, 3});
  CHECK_FALSE(fs::exists(journal.older()));
}

TEST_CASE("a journal that cannot be rotated grows on, with one warning") {
  RotatedJournal journal;
  SUBCASE("a folder has the name") {
    fs::create_directory(journal.older());
  }
  SUBCASE("another file has the name") {
    journal.folder.write("j.1", "precious");
  }
  SUBCASE("a link has the name") {
    fs::create_symlink("precious", journal.older());
  }
  journal.add(12);
  CHECK(numbers_in(journal.path()) == from_to(1, 12));
  CHECK(journal.writer->lost() == 0);
  const auto notes = journal.writer->drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().severity == Note::Severity::warning);
  CHECK(notes.front().text.find("grows past its limit: cannot rotate: ") != std::string::npos);
  CHECK(notes.front().text.find("j.1: exists and is not a journal; move it away") !=
        std::string::npos);
  if (fs::is_regular_file(journal.older())) CHECK(journal.folder.read("j.1") == "precious");

  // It rotates as soon as that is possible.
  fs::remove(journal.older());
  journal.add(1);
  CHECK(numbers_in(journal.older()) == from_to(1, 12));
  CHECK(numbers_in(journal.path()) == from_to(13, 13));
}

TEST_CASE("a journal that another program has rotated is not rotated over it") {
  RotatedJournal journal;
  journal.add(5);
  fs::rename(journal.path(), journal.older());
  journal.folder.write("j", "");
  journal.add(1);
  CHECK(numbers_in(journal.older()) == from_to(1, 5));
  CHECK(numbers_in(journal.path()) == from_to(6, 6));
}

TEST_CASE("a journal behind a symbolic link is rotated where it is") {
  RotatedJournal journal;
  fs::create_directory(journal.folder / "disk");
  fs::remove(journal.path());
  fs::create_symlink("disk/ticks", journal.path());
  journal.open();
  journal.add(6);
  CHECK(numbers_in(journal.folder / "disk/ticks.1") == from_to(1, 5));
  CHECK(numbers_in(journal.path()) == from_to(6, 6));
  CHECK(fs::is_symlink(journal.path()));
}

TEST_CASE("on a full disk a journal with a limit keeps both files, and goes on later") {
  RotatedJournal journal;
  journal.add(6);
  {
    const FullDisk full(fs::file_size(journal.path()));
    journal.add(9);
    CHECK(journal.writer->lost() == 9);
    CHECK(journal.writer->drain_notes().size() == 1);
  }
  journal.add(1);
  CHECK(numbers_in(journal.older()) == from_to(1, 5));
  CHECK(numbers_in(journal.path()) == Numbers{6, 16});
}

TEST_CASE("a journal whose limit is no number of bytes in 64 bits loses no tick") {
  for (const MemorySize limit :
       {MemorySize::from_gib(std::uint64_t{1} << 34U), MemorySize::largest()}) {
    CAPTURE(limit.kib());
    const Folder folder;
    const auto writer = JournalWriter::open(folder / "j", limit).value();
    writer->observe(tick_of_size(1, 100));
    writer->observe(tick_of_size(2, 100));
    CHECK(writer->lost() == 0);
    CHECK(numbers_in(folder / "j") == Numbers{1, 2});
    CHECK(!fs::exists(folder / "j.1"));
  }
}
