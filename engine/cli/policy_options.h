#pragma once
// What a policy can be told on the command line, wherever one is run: parameters and limits.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "bindings/sandbox.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"

namespace memcoord::cli {

struct Command;

/// What a policy may use up in one tick; the bindings' own limits where not set.
struct PolicyLimitOptions {
  std::optional<Duration> time = {};
  std::optional<std::int64_t> instructions = {};
  std::optional<MemorySize> memory = {};
};
bindings::SandboxLimits sandbox_limits(const PolicyLimitOptions& options);

/// Adds --set NAME=VALUE, repeatable. `settings` outlives the command, here as below.
void add_set_option(Command& command, std::map<std::string, std::string>& settings,
                    const std::string& group = "Options");
/// Adds --policy-time, --policy-instructions and --policy-memory under a heading of the help.
void add_policy_limit_options(Command& command, PolicyLimitOptions& limits,
                              const std::string& group);

}  // namespace memcoord::cli
