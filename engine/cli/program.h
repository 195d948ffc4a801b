#pragma once
// The program: command line in, exit code out.

#include <string>
#include <vector>

#include "engine/cli/exit_code.h"

namespace memcoord::cli {

/// Runs memcoord with its arguments (argv without the program's name). Results go to standard
/// output, everything else to standard error; no exception escapes.
ExitCode run_program(const std::vector<std::string>& arguments);

}  // namespace memcoord::cli
