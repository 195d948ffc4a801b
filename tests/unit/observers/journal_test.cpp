#include "engine/observers/journal.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/files/folder.h"
#include "tests/unit/files/full_disk.h"
#include "tests/unit/observers/ticks.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

namespace fs = std::filesystem;

std::unique_ptr<JournalWriter> open_journal(const fs::path& path) {
  auto writer = JournalWriter::open(path);
  if (!writer) FAIL(writer.error().text());
  return std::move(*writer);
}

std::size_t count_ticks(const fs::path& path) {
  auto reader = JournalReader::open(path);
  REQUIRE(reader.has_value());
  std::size_t n = 0;
  while (true) {
    const auto tick = reader->next();
    if (!tick) FAIL(tick.error().text());
    if (!*tick) return n;
    ++n;
  }
}

}  // namespace

TEST_CASE("ticks are appended, one per line, and read back") {
  const Folder folder;
  open_journal(folder / "j")->observe(busy_tick());
  const auto writer = open_journal(folder / "j");
  writer->observe(busy_tick());
  CHECK(count_ticks(folder / "j") == 2);
  CHECK(writer->lost() == 0);
  CHECK(writer->drain_notes().empty());
}

TEST_CASE("a journal that cannot be written is refused at once") {
  const Folder folder;
  const auto error = JournalWriter::open(folder / "no/such/j").error();
  CHECK(error.message.find("the journal cannot be written") == 0);
  CHECK(error.hint == "its folder must exist");
  CHECK_FALSE(JournalWriter::open(folder / "").has_value());
}

TEST_CASE("on a full disk, lost ticks are counted and reported once, and no partial line stays") {
  const Folder folder;
  const auto writer = open_journal(folder / "j");
  writer->observe(busy_tick());
  const auto line = fs::file_size(folder / "j");
  {
    const FullDisk full(line * 2 + line / 2);
    writer->observe(busy_tick());
    CHECK(writer->drain_notes().empty());
    writer->observe(busy_tick());
    writer->observe(busy_tick());
    CHECK(writer->lost() == 2);
    REQUIRE(writer->loss());
    CHECK(writer->loss()->ticks == 2);
    CHECK(writer->loss()->since == busy_tick().snapshot.wall_time);
    CHECK(writer->loss()->error.starts_with((folder / "j").string() + ": "));
    const auto notes = writer->drain_notes();
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].severity == Note::Severity::error);
    CHECK(fs::file_size(folder / "j") == line * 2);
  }
  writer->observe(busy_tick());
  CHECK_FALSE(writer->loss());
  const auto notes = writer->drain_notes();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].text.find("2 ticks were lost") != std::string::npos);
  CHECK(count_ticks(folder / "j") == 3);
}

TEST_CASE("a file that is not a journal is refused, and stays as it is") {
  const Folder folder;
  const std::string long_line(300'000, 'x');
  for (const std::string& text :
       {std::string("no line break"), std::string("a = 1\nb = 2\n"), std::string("a = 1\nb"),
        std::string("\n"), std::string("{"), std::string("{\"format\":\"memc"),
        std::string("{\"decisions\":[],\"format\":\"memcoord-tick\"}\n"),
        std::string("{\"format\":\"memcoord-tick\"}\nb"), "a\n" + long_line,
        std::string(9, '\0')}) {
    CAPTURE(text.substr(0, 40));
    std::ofstream(folder / "f", std::ios::binary) << text;
    const auto refused = JournalWriter::open(folder / "f");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_input);
    std::ifstream file(folder / "f", std::ios::binary);
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == text);
  }
}

TEST_CASE("a huge file without a line end is refused without being read whole") {
  const Folder folder;
  std::ofstream(folder / "f") << "precious";
  fs::resize_file(folder / "f", std::uintmax_t{1} << 40U);
  CHECK_FALSE(JournalWriter::open(folder / "f"));
  CHECK(fs::file_size(folder / "f") == std::uintmax_t{1} << 40U);
}

TEST_CASE("pipes and devices are refused at once") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(JournalWriter::open(folder / "fifo").error().message == "is a pipe");
  CHECK(JournalWriter::open("/dev/full").error().message == "is a device");
}

TEST_CASE("a rotation does not continue in a file that is not a journal") {
  const Folder folder;
  const auto writer = open_journal(folder / "j");
  writer->observe(busy_tick());
  fs::rename(folder / "j", folder / "j.1");
  std::ofstream(folder / "j") << "something else";
  CHECK_FALSE(writer->reopen());
  writer->observe(busy_tick());
  CHECK(count_ticks(folder / "j.1") == 2);
  CHECK(fs::file_size(folder / "j") == 14);
  fs::remove(folder / "j.1");
  writer->observe(busy_tick());
  CHECK(writer->lost() == 1);
  CHECK(fs::file_size(folder / "j") == 14);
}

TEST_CASE("a partial line of any length is cut off, and whole lines stay") {
  const Folder folder;
  open_journal(folder / "j")->observe(busy_tick());
  const auto line = fs::file_size(folder / "j");
  std::ofstream(folder / "j", std::ios::app)
      << R"({"format":"memcoord-tick","version":1,"x":")" << std::string(300'000, 'x');
  open_journal(folder / "j");
  CHECK(fs::file_size(folder / "j") == line);
}

TEST_CASE("an endless line is an error, not a journal without ticks") {
  const Folder folder;
  open_journal(folder / "j")->observe(busy_tick());
  fs::resize_file(folder / "j", std::uintmax_t{1} << 40U);
  auto reader = JournalReader::open(folder / "j");
  CHECK(reader->next()->has_value());
  const auto endless = reader->next();
  REQUIRE_FALSE(endless);
  CHECK(endless.error().message == "a line longer than 16 MiB");
  CHECK(endless.error().object.ends_with("j:2"));
}

TEST_CASE("a tick begins with its format") {
  const Folder folder;
  open_journal(folder / "j")->observe(busy_tick());
  std::ifstream file(folder / "j");
  const std::string line(std::istreambuf_iterator<char>(file), {});
  CHECK(line.starts_with("{\"format\":\"memcoord-tick\",\"version\":1,"));
}

TEST_CASE("a removed journal is created again, and a rotated one is left on reopen") {
  const Folder folder;
  const auto writer = open_journal(folder / "j");
  writer->observe(busy_tick());
  fs::remove(folder / "j");
  writer->observe(busy_tick());
  CHECK(count_ticks(folder / "j") == 1);
  fs::rename(folder / "j", folder / "j.1");
  std::ofstream(folder / "j").flush();
  writer->observe(busy_tick());
  CHECK(count_ticks(folder / "j.1") == 2);
  CHECK(writer->reopen().has_value());
  writer->observe(busy_tick());
  CHECK(count_ticks(folder / "j") == 1);
}

TEST_CASE(
    "without its folder, a journal counts and reports lost ticks, and later it is created again") {
  const Folder folder;
  const auto lose_with = [&](auto remove, auto bring_back) {
    fs::create_directory(folder / "logs");
    const auto writer = open_journal(folder / "logs/j");
    writer->observe(busy_tick());
    remove();
    writer->observe(busy_tick());
    writer->observe(busy_tick());
    CHECK(writer->lost() == 2);
    const auto said = writer->drain_notes();
    REQUIRE(said.size() == 1);
    CHECK(said[0].severity == Note::Severity::error);
    CHECK(said[0].text.find((folder / "logs/j").string()) != std::string::npos);
    CHECK(said[0].text.find("ticks are lost until it can be written") != std::string::npos);
    bring_back();
    writer->observe(busy_tick());
    CHECK(writer->lost() == 2);
    REQUIRE(writer->drain_notes().size() == 1);
    CHECK(count_ticks(folder / "logs/j") == 1);
    fs::remove_all(folder / "logs");
  };
  const auto remove_folder = [&] { fs::remove_all(folder / "logs"); };
  lose_with(remove_folder, [&] { fs::create_directory(folder / "logs"); });
  const auto put_a_file = [&] {
    remove_folder();
    std::ofstream(folder / "logs").flush();
  };
  lose_with(put_a_file, [&] {
    fs::remove(folder / "logs");
    fs::create_directory(folder / "logs");
  });
}

TEST_CASE("a journal that was removed and created by another process continues in the new file") {
  const Folder folder;
  const auto writer = open_journal(folder / "j");
  writer->observe(busy_tick());
  fs::remove(folder / "j");
  std::ofstream(folder / "j").flush();
  writer->observe(busy_tick());
  CHECK(count_ticks(folder / "j") == 1);
  CHECK(writer->lost() == 0);
}

TEST_CASE(
    "a journal cut off by a crash is read up to its last whole line, and continued after it") {
  const Folder folder;
  open_journal(folder / "j")->observe(busy_tick());
  std::ofstream(folder / "j", std::ios::app) << R"({"format":"memcoord-tick","ver)";
  auto reader = JournalReader::open(folder / "j");
  CHECK(reader->next()->has_value());
  CHECK_FALSE(reader->next()->has_value());
  CHECK(reader->cut_off());
  open_journal(folder / "j")->observe(busy_tick());
  CHECK(count_ticks(folder / "j") == 2);
}

TEST_CASE("the error for a damaged line names the line") {
  const Folder folder;
  open_journal(folder / "j")->observe(busy_tick());
  std::ofstream(folder / "j", std::ios::app) << "rubbish\n";
  auto reader = JournalReader::open(folder / "j");
  CHECK(reader->next()->has_value());
  const auto damaged = reader->next();
  REQUIRE_FALSE(damaged.has_value());
  CHECK(damaged.error().object.ends_with("j:2"));
  CHECK(JournalReader::open(folder / "k").error().code == ErrorCode::not_found);
}

TEST_CASE("a file that does not begin with a tick is not a journal") {
  const Folder folder;
  for (const char* text :
       {"# Title\n\ntext\n", "no line end", "-- a policy\nreturn {}\n", "{}\n"}) {
    CAPTURE(text);
    std::ofstream(folder / "README.md") << text;
    auto reader = JournalReader::open(folder / "README.md");
    const auto tick = reader->next();
    REQUIRE_FALSE(tick.has_value());
    CHECK(tick.error().object == (folder / "README.md").string());
    CHECK(tick.error().message == "is not a journal: its first line is not a tick");
  }
  std::ofstream(folder / "cut") << R"({"form)";
  auto cut = JournalReader::open(folder / "cut");
  CHECK(cut->next().error().message == "has no ticks");
  CHECK(cut->cut_off());
}
