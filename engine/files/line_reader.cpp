#include "engine/files/line_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace memcoord::files {
namespace {

constexpr std::size_t kBlock = 65536;

}  // namespace

Result<LineReader> LineReader::open(const std::filesystem::path& path, const std::string& kind) {
  auto file = open_to_read(path, kind);
  if (!file) return fail(file.error());
  return LineReader(*std::move(file), path.string());
}

std::string LineReader::place() const {
  return path_ + ":" + std::to_string(std::max<std::size_t>(number_, 1));
}

Result<bool> LineReader::next() {
  text_.clear();
  ++number_;
  for (;;) {
    const std::size_t end = block_.find('\n', at_);
    const std::size_t piece = std::min(end, block_.size()) - at_;
    if (text_.size() + piece > kLongestLine) {
      return fail(ErrorCode::invalid_input, place(), "a line longer than 16 MiB",
                  "is it a text file?");
    }
    text_.append(block_, at_, piece);
    at_ += piece;
    if (end != std::string::npos) {
      ++at_;
      return true;
    }
    block_.resize(kBlock);
    const ssize_t got = ::read(file_.get(), block_.data(), block_.size());
    const int number = errno;
    block_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    at_ = 0;
    if (got < 0 && number == EINTR) continue;
    if (got < 0) {
      return fail(ErrorCode::invalid_input, place(),
                  "cannot be read: " + std::generic_category().message(number));
    }
    if (got == 0) {
      open_ended_ = !text_.empty();
      if (!open_ended_) --number_;
      return open_ended_;
    }
  }
}

}  // namespace memcoord::files
