// Any text as a line of a journal: reads as a tick that is written back the same, or is an error
// with its place.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/observers/tick_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memcoord::observers;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto tick = tick_from_json_line(text, "fuzz.jsonl:1");
  if (!tick) {
    if (tick.error().object != "fuzz.jsonl:1") std::abort();
    return 0;
  }
  const std::string line = to_json_line(*tick);
  const auto again = tick_from_json_line(line, "again:1");
  if (!again || to_json_line(*again) != line) std::abort();
  return 0;
}
