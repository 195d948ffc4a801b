// Any text as a domain's metadata, and as its XML: reads as settings that are written back the
// same, or is an error with a hint.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/hypervisor/libvirt/domain_configuration.h"

using namespace memcoord;
using namespace memcoord::libvirt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto settings = parse_settings(text, "fuzz")) {
    const auto again = parse_settings(write_settings(*settings), "fuzz");
    if (!again || *again != *settings) std::abort();
  } else if (settings.error().message.empty() || settings.error().hint.empty()) {
    std::abort();
  }
  (void)describe_domain(text, "fuzz");
  return 0;
}
