#pragma once
// The list of the program's subcommands. A new one is a file of its own, a line here and one in
// commands.cpp.

#include "engine/cli/command.h"

namespace memcoord::cli {

void add_run_command(Commands& commands);
void add_check_command(Commands& commands);
void add_policies_command(Commands& commands);
void add_test_command(Commands& commands);
void add_simulate_command(Commands& commands);
void add_compare_command(Commands& commands);
void add_density_command(Commands& commands);
void add_replay_command(Commands& commands);
void add_traces_command(Commands& commands);
void add_domain_command(Commands& commands);
void add_completion_command(Commands& commands);

/// All of them, in the order in which the help lists them.
void add_commands(Commands& commands);

}  // namespace memcoord::cli
