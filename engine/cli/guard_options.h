#pragma once
// The guard's options, wherever a policy is run.

#include "engine/core/limits.h"

namespace memcoord::cli {

struct Command;

/// Adds the guard's options under a heading of their own. A value laxer than the built-in one is
/// refused, apart from --overcommit. `limits` outlives the command.
void add_guard_options(Command& command, Limits& limits);

}  // namespace memcoord::cli
