#pragma once
// The charts that the report pages and the live page share: their style and scripts, embedded at
// build time (cmake/embed_files.cmake). The scripts build every node themselves and never parse
// markup, so names of domains stay text.

#include <array>
#include <string_view>

namespace memcoord::charts {

extern const std::string_view kChartsCss;
extern const std::string_view kTextJs;
extern const std::string_view kViewJs;
extern const std::string_view kPanelJs;
extern const std::string_view kLayersJs;
extern const std::string_view kLegendJs;
extern const std::string_view kRovingJs;

/// The scripts in the order in which a page runs them.
inline std::array<std::string_view, 6> scripts() {
  return {kTextJs, kViewJs, kPanelJs, kLayersJs, kLegendJs, kRovingJs};
}

}  // namespace memcoord::charts
