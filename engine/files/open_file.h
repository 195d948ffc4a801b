#pragma once
// Files by their path. memcoord opens regular files only, and checks what a path names before it
// opens it: no FIFO without a writer blocks it, and no device is touched.

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

#include "engine/core/error.h"

namespace memcoord::files {

/// Owns a file descriptor.
class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] explicit operator bool() const { return descriptor_ >= 0; }
  /// Closes the descriptor. Returns the errno of close(2), or 0.
  int close();
  /// Gives up the descriptor, which the caller then owns.
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

/// Where to write a file: an open folder, and a name in it that is no symbolic link.
struct Place {
  OpenFile folder;
  std::string name;
};

/// Resolves a path for writing. Follows symbolic links that root or this user made and refuses all
/// others: a user who may create a link must not choose the file that memcoord writes. `what`
/// begins the messages of errors ("the journal" cannot be written); it may be empty. Errors:
/// not_found (no such folder), permission_denied, invalid_input (a folder, a FIFO, a device, a
/// socket).
Result<Place> place_to_write(const std::filesystem::path& path, const std::string& what);

/// Whether both paths lead to the same name in the same folder; the file need not exist. A path
/// that place_to_write() refuses is the same as no other.
bool same_place(const std::filesystem::path& one, const std::filesystem::path& other);

/// Opens a regular file to read and append; creates it if there is none. Errors: those of
/// place_to_write().
Result<OpenFile> open_to_append(const std::filesystem::path& path, const std::string& what);

/// Opens a regular file to read, or an unnamed pipe: /dev/stdin, <(command) in a shell. Errors:
/// not_found ("no such journal", if `kind` is "journal"), permission_denied, invalid_input (a
/// folder, a FIFO, a device, a socket).
Result<OpenFile> open_to_read(const std::filesystem::path& path, const std::string& kind);

/// Whose right to read decides about a file.
enum class Readable { by_memcoord, by_everyone };

/// Opens a regular file that every user of the system may read, for a user who must not learn more
/// through memcoord than without it. Errors: permission_denied (also if the file is in a folder
/// that not every user may search, whether it exists or not), not_found, invalid_input.
Result<OpenFile> open_public(const std::filesystem::path& path, const std::string& kind);

/// The first `most` bytes of a file, or the whole file if it is shorter. Errors: those of
/// open_to_read().
Result<std::string> read_up_to(std::size_t most, const std::filesystem::path& path,
                               const std::string& kind);

/// The error for a file that cannot be written, by the errno of the failed call.
tl::unexpected<Error> cannot_write(const std::filesystem::path& path, const std::string& what,
                                   int number);

/// The longest line that LineReader reads. A tick of 10,000 domains fits; a file without line ends
/// does not fill the memory.
inline constexpr std::size_t kLongestLine = std::size_t{16} << 20U;

/// Reads a text file line by line, in bounded memory.
class LineReader {
 public:
  /// Errors: those of open_to_read().
  static Result<LineReader> open(const std::filesystem::path& path, const std::string& kind);

  /// Reads the next line; false at the end of the file. Errors, their object "path:line":
  /// invalid_input (a line longer than kLongestLine; a file that cannot be read on).
  Result<bool> next();
  /// The line, without its line end.
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The number of the line, from 1; 0 before the first.
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
