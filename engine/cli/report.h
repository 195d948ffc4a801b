#pragma once
// How an error reaches the person at the terminal.

#include "engine/cli/exit_code.h"
#include "engine/core/error.h"

namespace memcoord::cli {

/// "memcoord: WHAT: what is wrong; what to do" on standard error: one line, whatever a name or a
/// file brought along, and the detail (a traceback) after it.
void report(const Error& error);

/// What the program's end tells the shell when this ended it.
ExitCode exit_code_for(const Error& error);

}  // namespace memcoord::cli
