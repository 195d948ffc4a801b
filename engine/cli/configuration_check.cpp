#include "engine/cli/configuration_check.h"

#include "engine/cli/metrics_server.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/terminal.h"

namespace memcoord::cli {

Result<ExitCode> check_configuration(const RunOptions& options) {
  const PolicyLoader loader(options.policy_limits);
  if (auto policy = loader.load(options.policy, options.settings); !policy) {
    return fail(policy.error());
  }
  if (options.fallback_policy) {
    auto fallback = loader.load(*options.fallback_policy, {});
    if (!fallback) return fail(fallback.error());
  }
  if (!options.metrics_token.empty()) {
    if (auto token = read_metrics_token(options.metrics_token); !token) return fail(token.error());
  }
  standard_output() << options.config << " is sound" << '\n';
  return ExitCode::ok;
}

}  // namespace memcoord::cli
