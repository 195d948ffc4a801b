#include "engine/cli/journal_reading.h"

#include "engine/cli/terminal.h"
#include "engine/observers/journal.h"

namespace memcoord::cli {

Status read_journals(const std::vector<std::string>& journals,
                     const std::function<void(const Tick&)>& take) {
  for (const std::string& journal : journals) {
    auto reader = observers::JournalReader::open(journal);
    if (!reader) return fail(reader.error());
    for (;;) {
      const auto tick = reader->next();
      if (!tick) return fail(tick.error());
      if (!*tick) break;
      take(**tick);
    }
    if (!reader->cut_off()) continue;
    standard_error() << "memcoord: " << journal << ": its last line is incomplete; read up to line "
                     << reader->line() << '\n';
  }
  return {};
}

}  // namespace memcoord::cli
