#pragma once
// The program's commands. A new command is a file of its own, a line here and a line in
// program.cpp.

#include "engine/cli/command.h"

namespace memcoord::cli {

void add_run_command(Command& program);  ///< memcoord without a command
/// status, explain, events, pause, resume, policy, reload and dry-run.
void add_control_commands(Command& program);
void add_record_command(Command& program);
void add_top_command(Command& program);
void add_headroom_command(Command& program);
void add_admit_command(Command& program);
void add_policies_command(Command& program);
void add_check_command(Command& program);
void add_test_command(Command& program);
void add_simulate_command(Command& program);
void add_compare_command(Command& program);
void add_density_command(Command& program);
void add_merge_command(Command& program);
void add_replay_command(Command& program);
void add_ticks_command(Command& program);
void add_report_command(Command& program);
void add_traces_command(Command& program);
void add_domain_command(Command& program);
void add_fleet_command(Command& program);
void add_completion_command(Command& program);
void add_help_command(Command& program);

}  // namespace memcoord::cli
