#pragma once
// Journals in the command line: how commands name and read them.

#include <functional>
#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/core/error.h"
#include "engine/core/tick.h"

namespace memcoord::cli {

/// The argument JOURNAL: files and folders, at least one.
void add_journals_argument(Command& command, std::vector<std::string>& journals);

/// Whether a reading says what the user should know of the files. The second reading of the same
/// files does not.
enum class FileNotes { print, drop };

/// Calls `take` with each tick of the journals, in order, until it returns false. Prints a line for
/// each file that is cut off, damaged or of another host. Errors: those of
/// observers::JournalReader.
Status read_journals(const std::vector<std::string>& journals,
                     const std::function<bool(const Tick&)>& take,
                     FileNotes notes = FileNotes::print);

}  // namespace memcoord::cli
