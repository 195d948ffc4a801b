#pragma once
// Scenario files: Lua tables that describe a simulated host, its domains and their demand over
// time. docs/simulator.md describes every key.

#include <filesystem>
#include <string>

#include "engine/core/error.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::workbench {

/// Reads and checks a scenario; its name is the file's, without folder and extension. Errors:
/// not_found; invalid_input with file and line (an unknown key, with the nearest known key; a
/// negative size; a demand above the maximum; an unknown generator); policy_failed if the file's
/// own code fails.
Result<simulated::Scenario> load_scenario(const std::filesystem::path& path);
/// The same from a text. Messages call the file `name`.
Result<simulated::Scenario> load_scenario_text(std::string source, const std::string& name);

}  // namespace memcoord::workbench
