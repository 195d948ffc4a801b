// Any text as a size: reads as a size that is written back exactly, or is an error. Where both
// parsers read it, they agree.
#include "engine/core/memory_size.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)memcoord::MemorySize::is_meant_by(text);
  const auto with_unit = memcoord::MemorySize::parse_with_unit(text);
  if (!with_unit && with_unit.error().hint.empty()) std::abort();
  const auto parsed = memcoord::MemorySize::parse_with_unit_or_kib(text);
  if (!parsed) {
    if (with_unit || parsed.error().text().empty()) std::abort();
    return 0;
  }
  if (with_unit && *with_unit != *parsed) std::abort();
  const auto again = memcoord::MemorySize::parse_with_unit(parsed->exact());
  if (!again || *again != *parsed) std::abort();
  return 0;
}
