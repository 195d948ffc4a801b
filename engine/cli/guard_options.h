#pragma once
// The guard's options, wherever a policy is run.

#include <CLI/CLI.hpp>

#include "engine/core/limits.h"

namespace memcoord::cli {

/// Adds --domain-floor, --host-floor, --max-release, --headroom and --host-memory under a heading
/// of their own. A value laxer than the built-in one is refused. `limits` outlives the app.
void add_guard_options(CLI::App& app, Limits& limits);

}  // namespace memcoord::cli
