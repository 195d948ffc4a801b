#pragma once
// Demand from what a user names: a trace, or journals. The content decides which.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/workbench/journal_demand.h"
#include "engine/workbench/trace.h"

namespace memcoord::workbench {

struct TraceSource {
  Trace trace;
  std::optional<RecordedHost> host;  ///< of journals
  std::vector<std::string> notes;    ///< on journals, a line each
};

/// Reads one trace (see read_trace()), or journals of one host: files that memcoord wrote with
/// --journal, or folders of them. `step`: see DemandRecorder; a trace keeps its own rows.
/// Errors: those of read_trace(), observers::JournalReader and DemandRecorder, with the path as
/// their object; invalid_input for several traces, and for a trace beside journals. A pipe is read
/// as a trace.
Result<TraceSource> read_trace_source(const std::vector<std::filesystem::path>& paths,
                                      std::optional<std::chrono::seconds> step = {},
                                      TraceBounds bounds = {});

}  // namespace memcoord::workbench
