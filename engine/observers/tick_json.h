#pragma once
// A Tick as JSON and back: one format for the journal and for --json. engine/core/fields.h lists
// the fields, docs/command-line.md describes them.

#include <string>
#include <string_view>

#include "engine/core/tick.h"

namespace memcoord::observers {

inline constexpr std::string_view kJournalFormat = "memcoord-tick";
inline constexpr int kJournalVersion = 1;
/// How each tick's line begins.
inline constexpr std::string_view kTickLineStart = "{\"format\":\"memcoord-tick\"";

/// "2026-01-31T10:15:02.000Z"
std::string iso_text(WallTime time);

/// One line of text, without a line break. Sizes are whole KiB under names that end in _kib, times
/// are ISO 8601 in UTC or, under names that end in _s, seconds. Bytes that are no UTF-8 are
/// replaced.
std::string to_json_line(const Tick& tick);

/// Errors: invalid_input (no JSON; a field that is missing or of the wrong kind, by name),
/// unsupported (another format or version). `where` is the error's object ("run.jsonl:12").
Result<Tick> tick_from_json_line(std::string_view line, const std::string& where);

}  // namespace memcoord::observers
