// memcoord merge: the shards of a sweep as one table.

#include <memory>
#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/terminal.h"
#include "engine/workbench/shard.h"

namespace memcoord::cli {
namespace {

Result<ExitCode> merge(const std::vector<std::string>& paths) {
  std::vector<workbench::ShardFile> files;
  for (const std::string& path : paths) {
    auto file = workbench::read_shard(path);
    if (!file) return fail(file.error());
    files.push_back(*std::move(file));
  }
  const auto lines = workbench::merge_shards(files);
  if (!lines) return fail(lines.error());
  TextOut out = standard_output();
  for (const std::string& line : *lines) out << line << '\n';
  return ExitCode::ok;
}

}  // namespace

void add_merge_command(Command& program) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  Command& command = program.add("merge",
                                 "Put the shards of one sweep together: prints what 'memcoord "
                                 "density --csv' or 'compare --csv' prints without --shard.",
                                 [paths] { return merge(*paths); });
  add_list(command,
           {.names = "FILE",
            .value = "FILE...",
            .description = "the output of every part, in any order",
            .required = true},
           into_list(*paths));
  command.footer = examples_text({
      {"memcoord density -t week.csv --csv --shard 1/2 >part1.csv", "compute a half"},
      {"memcoord merge part1.csv part2.csv >density.csv", "put both halves together"},
  });
}

}  // namespace memcoord::cli
