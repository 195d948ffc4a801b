#include "engine/core/nearest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace memcoord {
namespace {

std::string folded(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the usual table are enough: a swap looks two rows back.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::optional<std::string> nearest_name(std::string_view wanted,
                                        std::span<const std::string> names) {
  if (wanted.empty() || wanted.size() > kLongestLikelyName || names.size() > kMostLikelyNames) {
    return std::nullopt;
  }
  const std::string sought = folded(wanted);
  // A third of the letters may be wrong, but a name of two letters may have one wrong.
  std::size_t least = std::max<std::size_t>(1, sought.size() / 3) + 1;
  std::optional<std::string> nearest;
  for (const std::string& name : names) {
    const auto [shorter, longer] = std::minmax({name.size(), sought.size()});
    if (name.size() > kLongestLikelyName || longer - shorter >= least) continue;
    const std::size_t distance = edit_distance(sought, folded(name));
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace memcoord
