#pragma once
// Files by their path. Only regular files are opened: what stands at a path is looked at first, so
// that no FIFO without another end and no device holds memcoord up, and nothing happens to a
// device.

#include <filesystem>
#include <string>
#include <utility>

#include "engine/core/error.h"

namespace memcoord::files {

/// A file descriptor, closed with it.
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
  /// Closes it; the errno of that, or 0.
  int close();

 private:
  int descriptor_ = -1;
};

/// Where a file is to be written: a folder that is open, and a name in it that is no link.
struct Place {
  OpenFile folder;
  std::string name;
};

/// Follows the links of a path that root or this user made, and refuses those of others: who may
/// make a link must not choose which file memcoord writes. `what` begins the messages of errors:
/// "the journal cannot be written"; it may be empty. Errors: not_found (no such folder),
/// permission_denied, invalid_input (a folder, a FIFO, a device, a socket).
Result<Place> place_to_write(const std::filesystem::path& path, const std::string& what);

/// Opens a regular file to read it and to append to it, and makes it where there is none. Errors:
/// those of place_to_write().
Result<OpenFile> open_to_append(const std::filesystem::path& path, const std::string& what);

/// Opens a regular file to read it, or a pipe that somebody else has opened: /dev/stdin, <(command)
/// in a shell. Errors: not_found ("no such journal", where `kind` is "journal"), permission_denied,
/// invalid_input (a folder, a FIFO, a device, a socket).
Result<OpenFile> open_to_read(const std::filesystem::path& path, const std::string& kind);

/// The first `most` bytes of a file, or all of it where it has no more. Errors: those of
/// open_to_read().
Result<std::string> read_up_to(std::size_t most, const std::filesystem::path& path,
                               const std::string& kind);

/// An error of the operating system about a file that was to be written.
tl::unexpected<Error> cannot_write(const std::filesystem::path& path, const std::string& what,
                                   int number);

}  // namespace memcoord::files
