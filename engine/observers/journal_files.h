#pragma once
// The files of journals: how a folder's segments are named, and in what order files are read.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/time.h"

namespace memcoord::observers {

/// The name of a segment's file of plain lines ends so; that of a packed one in kPackedEnding.
inline constexpr std::string_view kPlainEnding = ".jsonl";
inline constexpr std::string_view kPackedEnding = ".mcj";

/// "ticks-20260131T101502Z": the name of a segment, without its ending. `number` from 2 tells apart
/// segments that begin in the same second.
std::string segment_name(WallTime begin, int number = 1);

/// When the segment of such a name (with or without its ending) begins; none for other names.
std::optional<WallTime> segment_begin(std::string_view name);

/// The error for a journal without a tick: an empty file, or a folder without a journal.
Error no_ticks(const std::filesystem::path& journal);

/// One file of a journal.
struct JournalFile {
  std::filesystem::path path;
  std::optional<WallTime> begin;  ///< the first tick's time, where known
};

/// The files of the journals in these files and folders, in the order in which to read them: by
/// their begin, if that is known of all. In a folder these are the files that end in .jsonl,
/// .jsonl.1 or .mcj; a plain segment that is there packed too is left out. Errors: not_found,
/// permission_denied; no_ticks() for a folder without a journal.
Result<std::vector<JournalFile>> journal_files(const std::vector<std::filesystem::path>& paths);

}  // namespace memcoord::observers
