#pragma once
// Scenario files: Lua tables that describe a simulated run. docs/simulator.md names every key.

#include <filesystem>
#include <string>

#include "engine/core/error.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::workbench {

/// Reads and checks a scenario. Errors: not_found, invalid_input with file and line (a misspelt key
/// with the nearest right one, a negative size, demand over the maximum, an unknown generator),
/// policy_failed where the file's own code fails.
Result<simulated::Scenario> load_scenario(const std::filesystem::path& path);
Result<simulated::Scenario> load_scenario_text(std::string source, const std::string& name);

}  // namespace memcoord::workbench
