#pragma once
// A file's text, whole.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace memcoord::testing {

/// Empty where the file cannot be read.
inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(file)), {}};
}

}  // namespace memcoord::testing
