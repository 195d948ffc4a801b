#include "engine/observers/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "engine/observers/tick_json.h"

namespace memcoord::observers {
namespace {

ErrorCode code_of(int number) {
  if (number == EACCES || number == EPERM || number == EROFS) return ErrorCode::permission_denied;
  return ErrorCode::invalid_input;
}

std::string reason(int number) {
  return std::generic_category().message(number);
}

Result<int> open_for_append(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) {
    const int number = errno;
    return fail(code_of(number), path.string(), "the journal cannot be written: " + reason(number),
                number == ENOENT ? "its folder must exist" : "name a file that you may write");
  }
  return file;
}

/// A half line that an earlier run left behind is of no use, and would spoil the next one: cut off.
void cut_half_line(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) return;
  const int readable =
      ::open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDONLY | O_CLOEXEC);
  if (readable < 0) return;
  off_t keep = info.st_size;
  char last = 0;
  while (keep > 0 && ::pread(readable, &last, 1, keep - 1) == 1 && last != '\n') --keep;
  ::close(readable);
  if (keep != info.st_size) (void)!::ftruncate(file, keep);
}

}  // namespace

Result<std::unique_ptr<JournalWriter>> JournalWriter::open(const std::filesystem::path& path) {
  const auto file = open_for_append(path);
  if (!file) return fail(file.error());
  std::unique_ptr<JournalWriter> writer(new JournalWriter(path));  // NOLINT: private constructor
  writer->file_ = *file;
  cut_half_line(*file);
  return writer;
}

JournalWriter::~JournalWriter() {
  if (file_ >= 0) ::close(file_);
}

void JournalWriter::observe(const Tick& tick) {
  // A journal that was removed comes back. Where it cannot, a line in the old file is lost.
  if (file_is_gone()) {
    if (Status reopened = reopen(); !reopened) return took(reopened);
  }
  took(write_line(to_json_line(tick) + "\n"));
}

Status JournalWriter::write_line(const std::string& line) {
  struct stat info {};
  const bool regular = ::fstat(file_, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t written = ::write(file_, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return {};
  const int number = written < 0 ? errno : ENOSPC;
  if (written > 0 && regular) (void)!::ftruncate(file_, info.st_size);
  return fail(code_of(number), path_.string(), reason(number));
}

bool JournalWriter::file_is_gone() const {
  struct stat ours {};
  struct stat named {};
  if (::fstat(file_, &ours) != 0 || !S_ISREG(ours.st_mode)) return false;
  // Removed, whatever has taken its name since.
  if (ours.st_nlink == 0) return true;
  if (::stat(path_.c_str(), &named) != 0) return errno == ENOENT || errno == ENOTDIR;
  // A rotated file is followed only when told to (reopen), as is the custom.
  return false;
}

Status JournalWriter::reopen() {
  const auto file = open_for_append(path_);
  if (!file) return fail(file.error());
  ::close(file_);
  file_ = *file;
  cut_half_line(file_);
  return {};
}

void JournalWriter::took(const Status& status) {
  if (status) {
    if (lost_in_a_row_ > 0) {
      notes_.push_back({Note::Severity::info, "journal " + path_.string() + ": written again; " +
                                                  std::to_string(lost_in_a_row_) +
                                                  " ticks were lost"});
    }
    lost_in_a_row_ = 0;
    return;
  }
  ++lost_;
  if (lost_in_a_row_++ == 0) {
    notes_.push_back({Note::Severity::error, "journal " + status.error().text() +
                                                 "; ticks are lost until it can be written"});
  }
}

std::vector<Note> JournalWriter::take_notes() {
  return std::exchange(notes_, {});
}

Result<JournalReader> JournalReader::open(const std::filesystem::path& path) {
  std::error_code problem;
  if (!std::filesystem::exists(path, problem)) {
    return fail(ErrorCode::not_found, path.string(), "no such journal");
  }
  if (std::filesystem::is_directory(path, problem)) {
    return fail(ErrorCode::invalid_input, path.string(), "is a folder", "name a journal");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return fail(ErrorCode::permission_denied, path.string(), "cannot be read");
  return JournalReader(path.string(), std::move(stream));
}

Result<std::optional<Tick>> JournalReader::next() {
  std::string line;
  while (std::getline(stream_, line)) {
    // getline() meets the end of the file before a line break only in a line that was cut off.
    if (stream_.eof()) {
      cut_off_ = !line.empty();
      return std::optional<Tick>();
    }
    ++line_;
    if (line.empty()) continue;
    auto tick = tick_from_json_line(line, path_ + ":" + std::to_string(line_));
    if (!tick) return fail(tick.error());
    return std::optional<Tick>(std::move(*tick));
  }
  return std::optional<Tick>();
}

}  // namespace memcoord::observers
