#include "engine/metrics/metrics_file.h"

#include <utility>

#include "engine/files/atomic_file.h"
#include "engine/files/open_file.h"

namespace memcoord::metrics {
namespace {

/// How the text begins.
constexpr std::string_view kMetricsBegin = "# HELP memcoord_";

/// Checks that only the metrics of an earlier run, or of another one, would be lost.
Status may_be_replaced(const std::filesystem::path& path) {
  const auto begin = files::read_up_to(kMetricsBegin.size(), path, "metrics file");
  if (!begin && begin.error().code == ErrorCode::not_found) return {};
  if (!begin) return fail(begin.error());
  if (begin->empty() || *begin == kMetricsBegin) return {};
  return fail(ErrorCode::invalid_input, path.string(),
              "exists and has no metrics of memcoord; the file stays as it is",
              "name a file that does not exist yet");
}

}  // namespace

Result<std::unique_ptr<MetricsFile>> MetricsFile::open(const std::filesystem::path& path) {
  if (Status writable = files::check_writable(path); !writable) return fail(writable.error());
  if (Status allowed = may_be_replaced(path); !allowed) return fail(allowed.error());
  // make_unique cannot call the private constructor.
  return std::unique_ptr<MetricsFile>(new MetricsFile(path));
}

MetricsFile::~MetricsFile() {
  if (written_) files::remove_if_same(path_, written_);
}

void MetricsFile::write(std::string_view text) {
  // Figures that are replaced every second need not survive a power failure.
  auto written = files::replace_file(path_,
                                     [&](const files::WritePiece& write_piece) -> Status {
                                       write_piece(text);
                                       return {};
                                     },
                                     {.mode = 0644, .sync = false});
  if (written) {
    written_ = *std::move(written);
    if (std::exchange(lost_in_a_row_, 0) > 0) {
      notes_.push_back({Note::Severity::info, path_.string() + ": metrics are written again"});
    }
    return;
  }
  if (++lost_in_a_row_ > 1) return;
  notes_.push_back({Note::Severity::error,
                    "cannot write the metrics, the run goes on: " + written.error().text()});
}

std::vector<Note> MetricsFile::drain_notes() {
  return std::exchange(notes_, {});
}

}  // namespace memcoord::metrics
