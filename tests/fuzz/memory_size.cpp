// Any text as a size: reads as a size that is written back exactly, or is an error.
#include "engine/core/memory_size.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)memcoord::MemorySize::is_meant_by(text);
  const auto parsed = memcoord::MemorySize::parse(text);
  if (!parsed) {
    if (parsed.error().text().empty()) std::abort();
    return 0;
  }
  const auto again = memcoord::MemorySize::parse(parsed->exact());
  if (!again || *again != *parsed) std::abort();
  return 0;
}
