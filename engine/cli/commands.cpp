#include "engine/cli/commands.h"

namespace memcoord::cli {

void add_commands(Commands& commands) {
  add_run_command(commands);
  add_policies_command(commands);
  add_check_command(commands);
  add_test_command(commands);
  add_simulate_command(commands);
  add_compare_command(commands);
  add_density_command(commands);
  add_replay_command(commands);
  add_traces_command(commands);
  add_domain_command(commands);
  add_completion_command(commands);
}

}  // namespace memcoord::cli
