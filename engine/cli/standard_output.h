#pragma once
// Standard output as the program's commands see it: writes that fail are remembered.

#include <mutex>
#include <optional>
#include <streambuf>
#include <string>

#include "engine/core/error.h"

namespace memcoord::cli {

/// Writes std::cout's text to a file descriptor while it lives. The stream never fails: text that
/// cannot be written is lost, and the first such error is kept.
class OutputBuffer : public std::streambuf {
 public:
  /// Takes std::cout over. `line_by_line`: a terminal shows each line at once.
  OutputBuffer(int descriptor, bool line_by_line);
  ~OutputBuffer() override;
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;

  /// The first error of a write; none where the reader has gone (`memcoord | head`).
  [[nodiscard]] std::optional<Error> error() const;

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;

 private:
  void write_out();

  int descriptor_;
  bool line_by_line_;
  std::streambuf* before_;
  mutable std::mutex mutex_;  ///< std::cerr flushes std::cout, from any thread
  std::string pending_;
  int error_ = 0;  ///< an errno
};

/// The error of the OutputBuffer in use.
std::optional<Error> output_error();

/// Opens /dev/null in place of each standard stream that is closed, so that no other file gets its
/// number. Writes to it fail, as they do on a closed stream.
void occupy_closed_streams();

}  // namespace memcoord::cli
