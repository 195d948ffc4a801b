#pragma once
// The metrics as a file, for the textfile collector of Prometheus' node_exporter.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/error.h"
#include "engine/files/open_file.h"

namespace memcoord::metrics {

/// Replaces a file with each tick's metrics, as a whole: readers never find a part. A text that
/// cannot be written is lost; it never stops the loop. The destructor removes the file, so that
/// node_exporter does not repeat the figures of a run that has ended. It leaves a file that another
/// run has written since, and symbolic links to the file.
class MetricsFile {
 public:
  /// Writes nothing yet. Errors: those of files::check_writable(), and invalid_input for a file
  /// that has something other than memcoord's metrics.
  static Result<std::unique_ptr<MetricsFile>> open(const std::filesystem::path& path);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  /// The file gets the mode 0644: node_exporter runs as another user.
  void write(std::string_view text);
  /// The notes since the last call: that the file cannot be written, and that writing works again.
  /// Each is said once.
  std::vector<Note> drain_notes();

 private:
  explicit MetricsFile(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  files::OpenFile written_;  ///< the last one that this object has written, or none
  std::uint64_t lost_in_a_row_ = 0;
  std::vector<Note> notes_;
};

}  // namespace memcoord::metrics
