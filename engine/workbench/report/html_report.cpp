#include "engine/workbench/report/html_report.h"

namespace memcoord::workbench {

Status write_run_report(const RunRecord& /*record*/, const std::filesystem::path& path) {
  return fail(ErrorCode::unsupported, path.string(), "reports cannot be written yet");
}

Status write_comparison_report(const Comparison& /*comparison*/,
                               const std::filesystem::path& path) {
  return fail(ErrorCode::unsupported, path.string(), "reports cannot be written yet");
}

}  // namespace memcoord::workbench
