#include "engine/observers/journal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/observers/tick_json.h"

namespace memcoord::observers {
namespace {

const std::string kWhat = "the journal";

/// How each tick's line begins.
constexpr std::string_view kStart = "{\"format\":\"memcoord-tick\"";

/// Where the line that ends at `end` begins. Reads backwards in blocks, and no further than the
/// longest line reaches: none if the line is longer.
std::optional<off_t> line_begin(int file, off_t end) {
  constexpr off_t kBlock = 65536;
  std::array<char, kBlock> block{};
  const off_t least = std::max<off_t>(0, end - static_cast<off_t>(files::kLongestLine) - 1);
  for (off_t at = end; at > least;) {
    const off_t size = std::min(at - least, kBlock);
    const ssize_t got = ::pread(file, block.data(), static_cast<std::size_t>(size), at - size);
    if (got != size) return std::nullopt;
    const std::string_view text(block.data(), static_cast<std::size_t>(got));
    if (const auto found = text.rfind('\n'); found != std::string_view::npos) {
      return at - size + static_cast<off_t>(found) + 1;
    }
    at -= size;
  }
  return least == 0 ? std::optional<off_t>(0) : std::nullopt;
}

/// Whether the line that begins there is a tick.
bool tick_at(int file, off_t begin) {
  std::array<char, 32> start{};
  const ssize_t got = ::pread(file, start.data(), start.size(), begin);
  return got > 0 &&
         std::string_view(start.data(), static_cast<std::size_t>(got)).starts_with(kStart);
}

/// Whether a line that may be cut off is a tick's.
bool begins_as_tick(std::string_view line) {
  return line.starts_with(kStart) || kStart.starts_with(line);
}

/// Checks that the file is a journal, and cuts off a partial line that an earlier run left: it
/// would spoil the next one.
Status continue_journal(int file, const std::filesystem::path& path) {
  struct stat info {};
  if (::fstat(file, &info) != 0) return files::cannot_write(path, kWhat, errno);
  if (info.st_size == 0) return {};
  char last = 0;
  const bool whole = ::pread(file, &last, 1, info.st_size - 1) == 1 && last == '\n';
  const auto begin = line_begin(file, whole ? info.st_size - 1 : info.st_size);
  if (!begin || !tick_at(file, *begin)) {
    return fail(ErrorCode::invalid_input, path.string(),
                "is not a journal: its last line is not a tick; the file stays as it is",
                "name a journal, or a file that does not exist yet");
  }
  if (!whole && ::ftruncate(file, *begin) != 0) return files::cannot_write(path, kWhat, errno);
  return {};
}

Result<files::OpenFile> open_journal(const std::filesystem::path& path) {
  auto file = files::open_to_append(path, kWhat);
  if (!file) return file;
  if (Status journal = continue_journal(file->get(), path); !journal) return fail(journal.error());
  return file;
}

}  // namespace

Result<std::unique_ptr<JournalWriter>> JournalWriter::open(const std::filesystem::path& path) {
  auto file = open_journal(path);
  if (!file) return fail(file.error());
  std::unique_ptr<JournalWriter> writer(new JournalWriter(path));  // NOLINT: private constructor
  writer->file_ = *std::move(file);
  return writer;
}

void JournalWriter::observe(const Tick& tick) {
  // A removed journal is created again. If that fails, a line in the old file would be lost.
  if (file_is_gone()) {
    if (Status reopened = reopen(); !reopened) return note_result(reopened);
  }
  note_result(write_line(to_json_line(tick) + "\n"));
}

Status JournalWriter::write_line(const std::string& line) {
  if (line.size() > files::kLongestLine) {
    return fail(ErrorCode::limit_exceeded, path_.string(), "a tick larger than 16 MiB");
  }
  struct stat info {};
  const bool known = ::fstat(file_.get(), &info) == 0;
  const ssize_t written = ::write(file_.get(), line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return {};
  const int number = written < 0 ? errno : ENOSPC;
  if (written > 0 && known) (void)!::ftruncate(file_.get(), info.st_size);
  return fail(ErrorCode::unavailable, path_.string(), std::generic_category().message(number));
}

bool JournalWriter::file_is_gone() const {
  struct stat ours {};
  struct stat named {};
  if (::fstat(file_.get(), &ours) != 0) return false;
  // The file was removed, even if another one has its name by now.
  if (ours.st_nlink == 0) return true;
  if (::stat(path_.c_str(), &named) != 0) return errno == ENOENT || errno == ENOTDIR;
  // A rotated file stays in use until reopen(), as is usual for logs.
  return false;
}

Status JournalWriter::reopen() {
  auto file = open_journal(path_);
  if (!file) return fail(file.error());
  file_ = *std::move(file);
  return {};
}

void JournalWriter::note_result(const Status& status) {
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

std::vector<Note> JournalWriter::drain_notes() {
  return std::exchange(notes_, {});
}

Result<JournalReader> JournalReader::open(const std::filesystem::path& path) {
  auto lines = files::LineReader::open(path, "journal");
  if (!lines) return fail(lines.error());
  return JournalReader(path, *std::move(lines));
}

Result<std::optional<Tick>> JournalReader::next() {
  while (true) {
    const auto more = lines_.next();
    if (!more) return fail(more.error());
    if (!*more) return std::optional<Tick>();
    if (lines_.number() == 1 && !begins_as_tick(lines_.text())) {
      return fail(ErrorCode::invalid_input, path_.string(),
                  "is not a journal: its first line is not a tick",
                  "name a file that memcoord wrote with --journal");
    }
    if (lines_.is_open_ended()) {
      cut_off_ = true;
      return std::optional<Tick>();
    }
    line_ = lines_.number();
    if (lines_.text().empty()) continue;
    auto tick = tick_from_json_line(lines_.text(), lines_.place());
    if (!tick) return fail(tick.error());
    return std::optional<Tick>(std::move(*tick));
  }
}

}  // namespace memcoord::observers
