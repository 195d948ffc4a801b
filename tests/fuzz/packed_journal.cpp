// Any bytes as a block of a packed journal: the first byte says whether they are the block itself,
// or its directory, which then gets a right checksum. Each tick that reads is one that the
// journal's lines can hold, and packs again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/observers/packed_block.h"
#include "engine/observers/tick_columns.h"
#include "engine/observers/tick_json.h"

namespace {

using namespace memcoord;
using namespace memcoord::observers;

void read_block(const std::string& bytes, TickParts parts) {
  constexpr std::size_t kEnough = 50;
  if (bytes.size() < BlockSizes::kBytes) return;
  const auto sizes = BlockSizes::read(bytes);
  if (!sizes) return;
  const std::string rest = bytes.substr(BlockSizes::kBytes);
  if (rest.size() < std::size_t{sizes->packed_directory} + sizes->planes) return;
  TickColumns columns;
  const auto ticks = unpack(rest, *sizes, columns.block(), parts == TickParts::figures);
  TickColumns again;
  for (std::size_t i = 0; ticks && i < *ticks && i < kEnough; ++i) {
    Tick tick;
    if (!columns.read(tick, parts)) break;
    if (tick.snapshot.domains.size() > kEnough) break;
    if (!tick_from_json_line(to_json_line(tick), "fuzz:1")) std::abort();
    again.write(tick);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const TickParts parts = (data[0] & 2U) != 0 ? TickParts::figures : TickParts::all;
  read_block((data[0] & 1U) != 0 ? text : packed_directory(text, ""), parts);
  return 0;
}
