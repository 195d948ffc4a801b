#include "engine/workbench/report/html_report.h"

#include "engine/files/whole_file.h"
#include "engine/workbench/report/pages.h"

namespace memcoord::workbench {

Status write_run_report(const RunRecord& record, const std::filesystem::path& path) {
  return files::write_whole_file(path, [&](const files::WritePiece& write) -> Status {
    report::write_run_page(record, write);
    return {};
  });
}

Status write_comparison_report(const Comparison& comparison, const std::filesystem::path& path) {
  return files::write_whole_file(path, [&](const files::WritePiece& write) -> Status {
    report::write_comparison_page(comparison, write);
    return {};
  });
}

}  // namespace memcoord::workbench
