#include "engine/cli/policy_options.h"

#include <limits>

#include "engine/cli/option_values.h"
#include "engine/cli/options.h"

namespace memcoord::cli {

bindings::SandboxLimits sandbox_limits(const PolicyLimitOptions& options) {
  bindings::SandboxLimits limits;
  if (options.time) limits.time = *options.time;
  if (options.instructions) limits.instructions = static_cast<std::uint64_t>(*options.instructions);
  if (options.memory) limits.memory_bytes = (*options.memory * 1024).kib();
  return limits;
}

void add_set_option(Command& command, std::map<std::string, std::string>& settings,
                    const std::string& group) {
  add_repeated_option(command,
                      {"-s,--set", "NAME=VALUE", "a parameter of the policy; repeatable", group},
                      [&settings](const std::string& text) -> Status {
                        auto assignment = parse_assignment(text);
                        if (!assignment) return fail(assignment.error());
                        settings.insert_or_assign(assignment->first, assignment->second);
                        return {};
                      });
}

void add_policy_limit_options(Command& command, PolicyLimitOptions& limits,
                              const std::string& group) {
  const auto instructions = [](const std::string& text) {
    return parse_whole_number(text, {1000, std::numeric_limits<std::int64_t>::max()});
  };
  add_option(
      command,
      {"--policy-time", "TIME", "most time a policy may take in one tick; default 100ms", group},
      into(limits.time, parse_duration));
  add_option(command,
             {"--policy-instructions", "N",
              "most Lua instructions a policy may run in one tick; default 20000000", group},
             into(limits.instructions, instructions));
  add_option(command,
             {"--policy-memory", "SIZE", "most memory a policy may hold; default 64MiB", group},
             into(limits.memory, parse_size));
}

}  // namespace memcoord::cli
