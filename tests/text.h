#pragma once
// Texts that tests look at.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace memcoord {

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace memcoord

namespace memcoord::testing {

/// A file's text, whole. Empty where the file cannot be read.
inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(file)), {}};
}

}  // namespace memcoord::testing
