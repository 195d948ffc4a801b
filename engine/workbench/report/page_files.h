#pragma once
// What the files of page/ say, embedded at build time (cmake/embed_files.cmake).

#include <string_view>

namespace memcoord::workbench::report {

extern const std::string_view kReportCss;
extern const std::string_view kWordsJs;
extern const std::string_view kViewJs;
extern const std::string_view kLayersJs;
extern const std::string_view kPageJs;
extern const std::string_view kRunJs;
extern const std::string_view kComparisonJs;

}  // namespace memcoord::workbench::report
