#pragma once
// The files of this folder, embedded at build time (cmake/embed_files.cmake).

#include <string_view>

namespace memcoord::page {

extern const std::string_view kLiveHtml;
extern const std::string_view kLiveCss;
extern const std::string_view kPollJs;
extern const std::string_view kBarsJs;
extern const std::string_view kHostJs;
extern const std::string_view kRowJs;
extern const std::string_view kDomainsJs;
extern const std::string_view kDetailJs;
extern const std::string_view kWhatifJs;
extern const std::string_view kLiveJs;

}  // namespace memcoord::page
