#pragma once
// Files of the source tree that hold generated lines: a test compares them with what they should
// be, or writes them anew where MEMCOORD_UPDATE_REFERENCE is set in its environment.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/text.h"

namespace memcoord::test {

inline std::filesystem::path in_source_tree(const std::filesystem::path& file) {
  return std::filesystem::path(MEMCOORD_SOURCE_TREE) / file;
}

inline std::string source_text(const std::filesystem::path& file) {
  return testing::read_text(in_source_tree(file));
}

/// Replaces the lines that follow a title and begin with a prefix.
inline void replace_lines(std::string& text, const std::string& title, const std::string& prefix,
                          const std::string& lines) {
  std::size_t start = text.find("\n" + title + "\n");
  CAPTURE(title);
  REQUIRE(start != std::string::npos);
  start += title.size() + 2;
  std::size_t end = start;
  while (text.compare(end, prefix.size(), prefix) == 0) end = text.find('\n', end) + 1;
  text.replace(start, end - start, lines);
}

inline void check_source_text(const std::filesystem::path& file, const std::string& expected) {
  if (std::getenv("MEMCOORD_UPDATE_REFERENCE") != nullptr) {
    std::ofstream(in_source_tree(file)) << expected;
    return;
  }
  const bool is_current = source_text(file) == expected;
  CHECK_MESSAGE(is_current, file.string(),
                " is stale: run this test with MEMCOORD_UPDATE_REFERENCE=1");
}

}  // namespace memcoord::test
