#pragma once
// Reads journals for commands: every tick, and what the user should know of the files.

#include <functional>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/tick.h"

namespace memcoord::cli {

/// Calls `take` with each tick of the journals, in order. A file that was cut off ends there, and a
/// line on standard error says so. Errors: those of observers::JournalReader.
Status read_journals(const std::vector<std::string>& journals,
                     const std::function<void(const Tick&)>& take);

}  // namespace memcoord::cli
