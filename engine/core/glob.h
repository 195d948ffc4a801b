#pragma once
// Shell patterns, matched in bounded time.

#include <string_view>

namespace memcoord {

/// Whether text matches a pattern of `*` (any run) and `?` (any one byte); all else stands for
/// itself. Time is at most pattern length times text length.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace memcoord
