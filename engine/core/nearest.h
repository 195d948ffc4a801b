#pragma once
// "Did you mean ...?": the right name for a misspelt one.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace memcoord {

/// How many insertions, deletions, replacements and swaps of neighbours turn one text into the
/// other (the optimal string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Of more names, or of longer ones, none is looked for: the work for a message is bounded.
inline constexpr std::size_t kMostLikelyNames = 4096;
inline constexpr std::size_t kLongestLikelyName = 64;

/// The name that is most like `wanted`; none where nothing is near enough to have been meant. Case
/// is ignored; of equals the first wins.
std::optional<std::string> nearest_name(std::string_view wanted,
                                        std::span<const std::string> names);

}  // namespace memcoord
