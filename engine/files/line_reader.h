#pragma once
// A text file, a line at a time, in bounded memory.

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

#include "engine/core/error.h"
#include "engine/files/open_file.h"

namespace memcoord::files {

/// What a line of a file may have at most: a tick of 10,000 domains has room, a file without line
/// ends does not fill the memory.
inline constexpr std::size_t kLongestLine = std::size_t{16} << 20U;

class LineReader {
 public:
  /// Errors: those of open_to_read().
  static Result<LineReader> open(const std::filesystem::path& path, const std::string& kind);

  /// Goes on to the next line; false at the end. Errors, with "path:line": invalid_input (a line
  /// longer than kLongestLine; a file that cannot be read on).
  Result<bool> next();
  /// The line, without its line end.
  [[nodiscard]] const std::string& text() const { return text_; }
  /// Its number, from 1; 0 before the first.
  [[nodiscard]] std::size_t number() const { return number_; }
  /// "path:line".
  [[nodiscard]] std::string place() const;
  /// Whether the line has no line end: it is the file's last, and may have been cut off.
  [[nodiscard]] bool is_open_ended() const { return open_ended_; }

 private:
  LineReader(OpenFile file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  OpenFile file_;
  std::string path_;
  std::string block_;
  std::size_t at_ = 0;  ///< in the block
  std::string text_;
  std::size_t number_ = 0;
  bool open_ended_ = false;
};

}  // namespace memcoord::files
