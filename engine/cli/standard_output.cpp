#include "engine/cli/standard_output.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <string_view>
#include <system_error>

namespace memcoord::cli {
namespace {

constexpr std::size_t kBufferSize = 65536;

/// Set by the program's only OutputBuffer.
const OutputBuffer* buffer_in_use = nullptr;

/// The errno of the write that failed, or 0.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd output{descriptor, POLLOUT, 0};
      ::poll(&output, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

OutputBuffer::OutputBuffer(int descriptor, bool line_by_line)
    : descriptor_(descriptor), line_by_line_(line_by_line), before_(std::cout.rdbuf(this)) {
  buffer_in_use = this;
}

OutputBuffer::~OutputBuffer() {
  std::cout.rdbuf(before_);
  buffer_in_use = nullptr;
  write_out();
}

std::optional<Error> OutputBuffer::error() const {
  const std::lock_guard lock(mutex_);
  if (error_ == 0 || error_ == EPIPE) return std::nullopt;
  return Error{ErrorCode::unavailable, "standard output",
               "cannot be written: " + std::generic_category().message(error_), "", ""};
}

OutputBuffer::int_type OutputBuffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char one = traits_type::to_char_type(c);
  xsputn(&one, 1);
  return c;
}

std::streamsize OutputBuffer::xsputn(const char* text, std::streamsize size) {
  const std::lock_guard lock(mutex_);
  const std::string_view added(text, static_cast<std::size_t>(size));
  pending_ += added;
  const bool line_ends = line_by_line_ && added.find('\n') != std::string_view::npos;
  if (line_ends || pending_.size() >= kBufferSize) write_out();
  return size;
}

int OutputBuffer::sync() {
  const std::lock_guard lock(mutex_);
  write_out();
  return 0;
}

void OutputBuffer::write_out() {
  const int error = write_all(descriptor_, pending_);
  if (error_ == 0) error_ = error;
  pending_.clear();
}

std::optional<Error> output_error() {
  return buffer_in_use == nullptr ? std::nullopt : buffer_in_use->error();
}

void occupy_closed_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // The lowest free number is this one.
    const int opened = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (opened > STDERR_FILENO) ::close(opened);
  }
}

}  // namespace memcoord::cli
