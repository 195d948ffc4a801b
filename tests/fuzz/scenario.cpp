// Any text as a scenario: reads as a scenario with domains, or is an error that names the file.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/workbench/scenario_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto scenario = memcoord::workbench::load_scenario_text(text, "fuzz.lua");
  if (!scenario && scenario.error().text().find("fuzz.lua") == std::string::npos) std::abort();
  if (scenario && scenario->domains.empty()) std::abort();
  return 0;
}
