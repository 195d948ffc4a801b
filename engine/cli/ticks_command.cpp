// memcoord ticks: the ticks of journals as lines of JSON.

#include <memory>
#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/journal_reading.h"
#include "engine/cli/run_output.h"
#include "engine/cli/terminal.h"
#include "engine/observers/tick_json.h"

namespace memcoord::cli {
namespace {

Result<ExitCode> print_ticks(const std::vector<std::string>& journals) {
  const Status read = read_journals(journals, [](const Tick& tick) {
    standard_output().lines(observers::to_json_line(tick)) << '\n';
    return !RunOutput::reader_is_gone();
  });
  if (!read) return fail(read.error());
  return ExitCode::ok;
}

}  // namespace

void add_ticks_command(Command& program) {
  const auto journals = std::make_shared<std::vector<std::string>>();
  Command& command =
      program.add("ticks", "Print the ticks of journals as lines of JSON, packed ones too.",
                  [journals] { return print_ticks(*journals); });
  add_journals_argument(command, *journals);
  command.footer = examples_text(
      {{"memcoord ticks /var/lib/memcoord/journal | jq .decisions", "look at each decision"}});
}

}  // namespace memcoord::cli
