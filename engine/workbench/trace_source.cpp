#include "engine/workbench/trace_source.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/files/open_file.h"
#include "engine/observers/journal.h"
#include "engine/observers/journal_files.h"
#include "engine/observers/packed_journal.h"

namespace memcoord::workbench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTraceEnding = ".csv";

/// Whether a file's beginning is a journal's: JSON, or packed ticks. A trace begins otherwise. An
/// empty file is of the kind that its name says.
bool begins_as_journal(std::string_view text, const fs::path& path) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return path.extension() != kTraceEnding;
  return text[first] == '{' || text.starts_with(observers::kPackedStart);
}

bool has_traces(const fs::path& folder) {
  std::error_code problem;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end;
       at.increment(problem)) {
    if (at->path().extension() == kTraceEnding) return true;
  }
  return false;
}

Result<bool> is_journal(const fs::path& path) {
  std::error_code problem;
  if (fs::is_directory(path, problem)) {
    return observers::journal_files({path}).has_value() || !has_traces(path);
  }
  if (!fs::exists(path, problem) && !problem) {
    return fail(ErrorCode::not_found, path.string(), "no such trace or journal");
  }
  // A pipe can be read only once.
  if (!fs::is_regular_file(path, problem)) return false;
  constexpr std::size_t kEnough = 512;
  const auto text = files::read_up_to(kEnough, path, "trace or journal");
  if (!text) return fail(text.error());
  return begins_as_journal(*text, path);
}

Error about(Error error, const fs::path& path) {
  if (error.object.empty()) error.object = path.string();
  return error;
}

Result<TraceSource> read_journals(const std::vector<fs::path>& paths,
                                  std::optional<std::chrono::seconds> step, TraceBounds bounds) {
  DemandRecorder recorder(step, bounds);
  std::vector<std::string> notes;
  auto reader = observers::JournalReader::open(paths, observers::TickParts::figures);
  if (!reader) return fail(reader.error());
  while (true) {
    const auto tick = reader->next();
    for (Note& note : reader->drain_notes()) notes.push_back(std::move(note.text));
    if (!tick) return fail(tick.error());
    if (!*tick) break;
    if (Status taken = recorder.take(**tick); !taken) {
      return fail(about(taken.error(), reader->file()));
    }
  }
  auto recording = recorder.finish();
  if (!recording) return fail(about(recording.error(), paths.front()));
  notes.insert(notes.end(), recording->notes.begin(), recording->notes.end());
  return TraceSource{std::move(recording->trace), std::move(recording->host), std::move(notes)};
}

}  // namespace

Result<TraceSource> read_trace_source(const std::vector<fs::path>& paths,
                                      std::optional<std::chrono::seconds> step,
                                      TraceBounds bounds) {
  for (const fs::path& path : paths) {
    const auto journal = is_journal(path);
    if (!journal) return fail(journal.error());
    if (*journal) continue;
    if (paths.size() > 1) {
      return fail(ErrorCode::invalid_input, path.string(), "is not a journal",
                  "name one trace, or journals of one host");
    }
    auto trace = read_trace(path, bounds);
    if (!trace) return fail(trace.error());
    return TraceSource{*std::move(trace), {}, {}};
  }
  return read_journals(paths, step, bounds);
}

}  // namespace memcoord::workbench
