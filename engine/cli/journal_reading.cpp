#include "engine/cli/journal_reading.h"

#include "engine/cli/run_output.h"
#include "engine/observers/journal.h"

namespace memcoord::cli {

void add_journals_argument(Command& command, std::vector<std::string>& journals) {
  add_list(command,
           {.names = "JOURNAL",
            .value = "JOURNAL",
            .description = "files or folders written by --journal",
            .required = true},
           into_list(journals));
}

Status read_journals(const std::vector<std::string>& journals,
                     const std::function<bool(const Tick&)>& take, FileNotes notes) {
  auto reader = observers::JournalReader::open({journals.begin(), journals.end()});
  if (!reader) return fail(reader.error());
  while (true) {
    const auto tick = reader->next();
    if (notes == FileNotes::print) print_notes(reader->drain_notes());
    if (!tick) return fail(tick.error());
    if (!*tick || !take(**tick)) return {};
  }
}

}  // namespace memcoord::cli
