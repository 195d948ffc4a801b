#pragma once
// The guard's options, wherever a policy is run.

#include "engine/core/limits.h"

namespace memcoord::cli {

struct Command;

/// Adds --domain-floor, --host-floor, --max-release, --headroom and --host-memory under a heading
/// of their own. A value laxer than the built-in one is refused. `limits` outlives the command.
void add_guard_options(Command& command, Limits& limits);

}  // namespace memcoord::cli
