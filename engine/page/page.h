#pragma once
// The live page: the files that a browser loads to show a run. They are embedded at build time and
// have no data; their scripts fetch it from the routes under v1/ (engine/control/routes.h).

#include <optional>
#include <string_view>
#include <vector>

#include "engine/control/http.h"

namespace memcoord::page {

/// One file of the page.
struct File {
  std::string_view path;  ///< "/live.css"
  std::string_view type;  ///< of its content: "text/css; charset=utf-8"
  std::string_view content;
};

/// Every file of the page: the document, "/", first.
const std::vector<File>& files();

/// The response to a GET for a file of the page; no value for any other path.
std::optional<control::Response> page_file(std::string_view path);

}  // namespace memcoord::page
