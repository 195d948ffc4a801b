#pragma once
// Compression (gzip.cpp, with zlib).

#include <optional>
#include <string>
#include <string_view>

namespace memcoord::control {

/// The text in the gzip format, compressed with little effort: a response is read once. None if
/// zlib has no memory.
std::optional<std::string> gzip(std::string_view text);

}  // namespace memcoord::control
