#pragma once
// memcoord --check-config: whether a run with these options would start, as far as files tell.

#include "engine/cli/command.h"
#include "engine/cli/run_options.h"

namespace memcoord::cli {

/// Loads the policies and reads the token that the options name, and prints one line if all of them
/// are sound. Connects to no host, listens nowhere and writes no file, so that it is harmless
/// beside a run with the same options. `options` has passed check_together(). Errors: those of
/// PolicyLoader::load() and read_metrics_token().
Result<ExitCode> check_configuration(const RunOptions& options);

}  // namespace memcoord::cli
