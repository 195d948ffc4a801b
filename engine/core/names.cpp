#include "engine/core/names.h"

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

bool glob_matches(std::string_view pattern, std::string_view text) {
  // Only the last star is retried: it can match all that an earlier star would leave.
  constexpr auto kNone = std::string_view::npos;
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = kNone;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != kNone) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the dynamic programming table are enough: a swap reads two rows back.
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

std::optional<std::string> suggest_name(std::string_view wanted,
                                        std::span<const std::string> names) {
  if (wanted.empty() || wanted.size() > kLongestLikelyName || names.size() > kMaxLikelyNames) {
    return std::nullopt;
  }
  const std::string sought = folded(wanted);
  // A third of the letters may be wrong; in a name of two letters, one.
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
