#pragma once
// What the server adds to every response: security headers and compression.

#include <string>
#include <string_view>

#include "engine/control/http.h"

namespace memcoord::control {

/// Bodies of fewer bytes are not compressed.
inline constexpr std::size_t kSmallestCompressed = 1024;

/// The response as it is sent: with the security headers, with "Cache-Control: no-store" unless it
/// has that header, and with its body compressed if `accepted`, the request's Accept-Encoding,
/// allows gzip and the body is worth it. For browsers, whatever the response contains: they run
/// only this server's scripts and styles, frame it nowhere, and guess no types.
Response completed(Response response, std::string_view accepted);

/// The response with its body compressed if `accepted` allows gzip and the body is worth it.
/// completed() leaves such a response as it is.
Response compressed(Response response, std::string_view accepted);

/// Whether the value of Accept-Encoding allows gzip.
bool accepts_gzip(std::string_view accepted);

}  // namespace memcoord::control
