#include "engine/observers/packed_journal.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/observers/tick_json.h"
#include "tests/unit/files/folder.h"
#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

namespace fs = std::filesystem;

void pack(const fs::path& path, const std::vector<Tick>& ticks) {
  std::ofstream out(path, std::ios::binary);
  const files::WritePiece write = [&](std::string_view piece) { out << piece; };
  TickPacker packer(write);
  for (const Tick& tick : ticks) REQUIRE(packer.add(tick));
  packer.finish();
}

std::vector<std::string> packed_and_unpacked(const fs::path& path, const std::vector<Tick>& ticks,
                                             TickParts parts = TickParts::all) {
  pack(path, ticks);
  auto file = open_packed_ticks(path, parts);
  REQUIRE(file);
  std::vector<std::string> lines;
  while (true) {
    const auto tick = (*file)->next();
    REQUIRE(tick);
    if (!*tick) break;
    lines.push_back(to_json_line(**tick));
  }
  CHECK_FALSE((*file)->cut_off());
  return lines;
}

std::vector<std::string> lines_of_ticks(const std::vector<Tick>& ticks) {
  std::vector<std::string> lines;
  for (const Tick& tick : ticks) lines.push_back(to_json_line(tick));
  return lines;
}

}  // namespace

TEST_CASE("ticks are the same after packing, to the last field") {
  const Folder folder;
  Tick failed = busy_tick();
  failed.number = 8;
  failed.sample_error = Error{ErrorCode::unavailable, "qemu:///system", "down", "wait", "detail"};
  failed.snapshot.domains.clear();
  failed.snapshot.host = {};
  std::vector<Tick> ticks{busy_tick(), busy_tick(), failed, busy_tick()};
  std::swap(ticks[1].snapshot.domains[0], ticks[1].snapshot.domains[2]);
  ticks[3].snapshot.domains.erase(ticks[3].snapshot.domains.begin());
  ticks.push_back(crowded_tick(9, 20));
  ticks.push_back(crowded_tick(10, 30));
  ticks.push_back(busy_tick());
  CHECK(packed_and_unpacked(folder / "j.mcj", ticks) == lines_of_ticks(ticks));
}

TEST_CASE("reading the figures alone leaves out what was decided") {
  const Folder folder;
  Tick first = busy_tick();
  first.decisions[0].domain = id("gone");  // a domain that the snapshot does not have
  Tick second = busy_tick();
  second.snapshot.domains[1].actual = 700_MiB;
  std::vector<Tick> expected{first, second};
  const auto lines = packed_and_unpacked(folder / "j.mcj", expected, TickParts::figures);
  for (Tick& tick : expected) {
    tick.dropped.clear();
    tick.skipped.clear();
    tick.proposals.clear();
    tick.decisions.clear();
    tick.outcomes.clear();
    tick.late_outcomes.clear();
    tick.notes.clear();
  }
  CHECK(lines == lines_of_ticks(expected));
}

TEST_CASE("a packed file that was cut off is read up to its last whole block") {
  const Folder folder;
  packed_and_unpacked(folder / "j.mcj", {busy_tick(), busy_tick()});
  const auto size = fs::file_size(folder / "j.mcj");
  const auto count = [&](std::uintmax_t bytes) {
    fs::resize_file(folder / "j.mcj", bytes);
    auto file = open_packed_ticks(folder / "j.mcj", TickParts::all);
    REQUIRE(file);
    std::size_t ticks = 0;
    while (true) {
      const auto tick = (*file)->next();
      REQUIRE(tick);
      if (!*tick) break;
      ++ticks;
    }
    CHECK((*file)->cut_off());
    CHECK(cut_off_text(**file) == (ticks > 0
                                       ? "is cut off; read up to tick " + std::to_string(ticks)
                                       : std::string("is cut off within its first tick")));
    return ticks;
  };
  CHECK(count(size - 1) == 2);
  CHECK(count(size - 12) == 2);
  CHECK(count(size - 13) == 0);
  CHECK(count(std::string_view("memcoord-packed 1\n").size()) == 0);
  CHECK(count(std::string_view("memcoord-pa").size()) == 0);
}

TEST_CASE("content behind a packed file's end is no part of it, and is not passed over") {
  const fs::path stored = fs::path(MEMCOORD_SOURCE_TREE) / "tests/unit/observers/stored";
  const Folder folder;
  fs::copy_file(stored / "version-1.mcj", folder / "twice.mcj");
  std::ofstream(folder / "twice.mcj", std::ios::app)
      << std::ifstream(stored / "version-1.mcj").rdbuf();
  auto reader = JournalReader::open(folder / "twice.mcj");
  REQUIRE(reader);
  auto tick = reader->next();
  while (tick && *tick) tick = reader->next();
  REQUIRE_FALSE(tick);
  CHECK(tick.error().message.starts_with("damaged"));
}

TEST_CASE(
    "a packed tick whose domains have no name, or one UUID twice, is damaged as its line is") {
  const Folder folder;
  const auto check_refused = [&](const Tick& bad) {
    pack(folder / "j.mcj", {busy_tick(), bad});
    auto file = open_packed_ticks(folder / "j.mcj", TickParts::all);
    REQUIRE(file);
    REQUIRE((*file)->next());
    const auto tick = (*file)->next();
    REQUIRE_FALSE(tick);
    CHECK(tick.error().text().find("damaged") != std::string::npos);
    CHECK_FALSE(tick_from_json_line(to_json_line(bad), "line"));
  };

  Tick bad = busy_tick();
  bad.snapshot.domains[1] = bad.snapshot.domains[0];
  check_refused(bad);

  bad = busy_tick();
  DomainIdentity nameless = *bad.snapshot.domains[1].identity;
  nameless.name.clear();
  bad.snapshot.domains[1].identity = std::make_shared<const DomainIdentity>(nameless);
  check_refused(bad);
}

TEST_CASE("a packed file of a newer version is refused in one line") {
  const Folder folder;
  folder.write("j.mcj", "memcoord-packed 2\nwhatever");
  const auto refused = open_packed_ticks(folder / "j.mcj", TickParts::all);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
  CHECK(refused.error().message == "packed journal version 2 is not known");
}

TEST_CASE("a change of any byte of a packed file is an error or leaves its ticks as they were") {
  const Folder folder;
  const std::vector<Tick> ticks{busy_tick(), crowded_tick(8, 60), crowded_tick(9, 60)};
  const auto lines = packed_and_unpacked(folder / "j.mcj", ticks);
  const std::string bytes = folder.read("j.mcj");
  std::size_t refused = 0;
  for (std::size_t i = 0; i + 12 < bytes.size(); i += 7) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x24);
    folder.write("changed.mcj", changed);
    auto file = open_packed_ticks(folder / "changed.mcj", TickParts::all);
    std::size_t at = 0;
    while (file) {
      const auto tick = (*file)->next();
      if (!tick) ++refused;
      if (!tick || !*tick) break;
      CAPTURE(i);
      REQUIRE(at < lines.size());
      CHECK(to_json_line(**tick) == lines[at++]);
    }
    if (!file) ++refused;
  }
  CHECK(refused > bytes.size() / 7 / 2);
}

TEST_CASE("a packed journal of the first version stays readable") {
  const fs::path stored = fs::path(MEMCOORD_SOURCE_TREE) / "tests/unit/observers/stored/version-1";
  auto packed = JournalReader::open(stored.string() + ".mcj");
  auto plain = JournalReader::open(stored.string() + ".jsonl");
  REQUIRE(packed);
  REQUIRE(plain);
  std::size_t count = 0;
  while (true) {
    const auto from_packed = packed->next();
    const auto from_plain = plain->next();
    REQUIRE(from_packed);
    REQUIRE(from_plain);
    REQUIRE(from_packed->has_value() == from_plain->has_value());
    if (!*from_packed) break;
    CHECK(to_json_line(**from_packed) == to_json_line(**from_plain));
    ++count;
  }
  CHECK(count > 10);
}
