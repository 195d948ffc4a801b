#include "engine/workbench/report/html_report.h"

#include "engine/workbench/report/pages.h"
#include "engine/workbench/whole_file.h"

namespace memcoord::workbench {

Status write_run_report(const RunRecord& record, const std::filesystem::path& path) {
  return write_whole_file(path, [&](const WritePiece& write) -> Status {
    report::write_run_page(record, write);
    return {};
  });
}

Status write_comparison_report(const Comparison& comparison, const std::filesystem::path& path) {
  return write_whole_file(path, [&](const WritePiece& write) -> Status {
    report::write_comparison_page(comparison, write);
    return {};
  });
}

}  // namespace memcoord::workbench
