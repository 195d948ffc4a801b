#pragma once
// Names as people write them: patterns for names, and the name that a misspelt one means.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace memcoord {

/// Whether a text matches a pattern of `*` (any run of bytes) and `?` (any one byte); every other
/// byte stands for itself. Takes at most pattern length times text length steps.
bool glob_matches(std::string_view pattern, std::string_view text);

/// The number of insertions, deletions, replacements and swaps of neighbours that turn one text
/// into the other (the optimal string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The longest list, and the longest names in it, that suggest_name() searches. They bound the work
/// for a message.
inline constexpr std::size_t kMaxLikelyNames = 4096;
inline constexpr std::size_t kLongestLikelyName = 64;

/// The name that is most like `wanted`, or none if no name is near enough to be meant. Ignores
/// case; the first of equally near names wins.
std::optional<std::string> suggest_name(std::string_view wanted,
                                        std::span<const std::string> names);

}  // namespace memcoord
