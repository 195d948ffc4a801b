// Any text as the first line of a shard's file: what is read is written back exactly.

#include "engine/workbench/shard.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto label = memcoord::workbench::parse_shard_line(text)) {
    if (label->rows == 0 || label->shard.index > label->shard.count) std::abort();
    const auto again =
        memcoord::workbench::parse_shard_line(memcoord::workbench::shard_line(*label));
    if (again != label) std::abort();
  }
  if (const auto shard = memcoord::workbench::parse_shard(text)) {
    if (shard->index == 0 || shard->index > shard->count) std::abort();
  }
  return 0;
}
