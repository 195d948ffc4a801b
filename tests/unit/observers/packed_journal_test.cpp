#include "engine/observers/packed_journal.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/observers/tick_json.h"
#include "tests/unit/files/folder.h"
#include "tests/unit/observers/ticks.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

namespace fs = std::filesystem;

std::vector<std::string> packed_and_unpacked(const fs::path& path, const std::vector<Tick>& ticks,
                                             TickParts parts = TickParts::all) {
  std::ofstream out(path, std::ios::binary);
  const files::WritePiece write = [&](std::string_view piece) { out << piece; };
  TickPacker packer(write);
  for (const Tick& tick : ticks) REQUIRE(packer.add(tick));
  packer.finish();
  out.close();
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
