#include "engine/page/page.h"

#include <algorithm>
#include <string>

#include "engine/charts/charts.h"
#include "engine/page/page_files.h"

namespace memcoord::page {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kStyle = "text/css; charset=utf-8";
constexpr std::string_view kScript = "text/javascript; charset=utf-8";

}  // namespace

const std::vector<File>& files() {
  static const std::vector<File> kFiles{
      {"/", kHtml, kLiveHtml},
      {"/charts.css", kStyle, charts::kChartsCss},
      {"/live.css", kStyle, kLiveCss},
      {"/text.js", kScript, charts::kTextJs},
      {"/view.js", kScript, charts::kViewJs},
      {"/panel.js", kScript, charts::kPanelJs},
      {"/layers.js", kScript, charts::kLayersJs},
      {"/legend.js", kScript, charts::kLegendJs},
      {"/poll.js", kScript, kPollJs},
      {"/bars.js", kScript, kBarsJs},
      {"/roving.js", kScript, charts::kRovingJs},
      {"/host.js", kScript, kHostJs},
      {"/row.js", kScript, kRowJs},
      {"/domains.js", kScript, kDomainsJs},
      {"/detail.js", kScript, kDetailJs},
      {"/whatif.js", kScript, kWhatifJs},
      {"/live.js", kScript, kLiveJs},
  };
  return kFiles;
}

std::optional<control::Response> page_file(std::string_view path) {
  const auto file = std::find_if(files().begin(), files().end(),
                                 [&](const File& one) { return one.path == path; });
  if (file == files().end()) return std::nullopt;
  // A browser asks again each time, so that a page and its scripts are of the same version.
  return control::Response{.status = 200,
                           .body = std::string(file->content),
                           .type = std::string(file->type),
                           .headers = {{"Cache-Control", "no-cache"}}};
}

}  // namespace memcoord::page
