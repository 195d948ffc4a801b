#include "engine/observers/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/observers/tick_json.h"

namespace memcoord::observers {
namespace {

const std::string kWhat = "the journal";

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
         std::string_view(start.data(), static_cast<std::size_t>(got)).starts_with(kTickLineStart);
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

/// Checks that a rotation replaces nothing but an older journal.
Status may_replace(const files::Place& place, const std::string& name,
                   const std::filesystem::path& shown) {
  struct stat info {};
  if (::fstatat(place.folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return {};
  if (S_ISREG(info.st_mode)) {
    if (info.st_size == 0) return {};
    const files::OpenFile older(
        ::openat(place.folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (older && tick_at(older.get(), 0)) return {};
  }
  return fail(ErrorCode::invalid_input, shown.string(), "exists and is not a journal",
              "move it away");
}

/// Half of a limit in bytes. A larger one than 64 bits can count limits nothing.
std::uint64_t half_in_bytes(MemorySize limit) {
  constexpr std::uint64_t kHalfKib = 512;
  return std::min(limit.kib(), std::numeric_limits<std::uint64_t>::max() / kHalfKib) * kHalfKib;
}

Result<files::OpenFile> open_as_journal(const std::filesystem::path& path) {
  auto file = files::open_to_append(path, kWhat);
  if (!file) return file;
  if (Status journal = continue_journal(file->get(), path); !journal) return fail(journal.error());
  return file;
}

}  // namespace

Result<std::unique_ptr<JournalWriter>> JournalWriter::open(const std::filesystem::path& path,
                                                           std::optional<MemorySize> limit) {
  std::error_code ignored;
  const bool existed = std::filesystem::exists(path, ignored);
  auto file = open_as_journal(path);
  if (!file) return fail(file.error());
  // make_unique cannot call the private constructor.
  std::unique_ptr<JournalWriter> writer(new JournalWriter(path, limit));
  writer->file_ = *std::move(file);
  writer->created_ = !existed;
  return writer;
}

JournalWriter::~JournalWriter() {
  if (created_ && size() == 0 && path_names_file()) ::unlink(path_.c_str());
}

/// Whether the path still names the file that is open.
bool JournalWriter::path_names_file() const {
  struct stat ours {};
  struct stat named {};
  return ::fstat(file_.get(), &ours) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

void JournalWriter::observe(const Tick& tick) {
  // A removed journal is created again. If that fails, a line in the old file would be lost.
  if (file_is_gone()) {
    if (Status reopened = reopen(); !reopened) return note_result(reopened, tick);
  }
  const std::string line = to_json_line(tick) + "\n";
  if (Status room = make_room(line); !room) return note_result(room, tick);
  note_result(write_line(line), tick);
}

/// Rotates if the line would not fit.
Status JournalWriter::make_room(const std::string& line) {
  if (!limit_) return {};
  const std::uint64_t most = half_in_bytes(*limit_);
  if (line.size() > most) {
    return fail(ErrorCode::limit_exceeded, path_.string(),
                "a tick larger than half of --journal-max", "raise --journal-max");
  }
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) return {};
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size == 0 || size + line.size() <= most) return {};
  const Status rotated = rotate(size);
  if (!rotated && !std::exchange(grows_on_, true)) {
    losses_.notes().push_back(
        {Note::Severity::warning,
         "journal " + path_.string() +
             " grows past its limit: cannot rotate: " + rotated.error().text()});
  }
  if (rotated) grows_on_ = false;
  return {};
}

/// If the new file cannot be made, observe() tries again, because the path then names no file.
Status JournalWriter::rotate(std::uint64_t size) {
  const auto place = files::place_to_write(path_, kWhat);
  if (!place) return fail(place.error());
  struct stat ours {};
  struct stat named {};
  const bool is_ours = ::fstat(file_.get(), &ours) == 0 &&
                       ::fstatat(place->folder.get(), place->name.c_str(), &named, 0) == 0 &&
                       ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
  // Another program has rotated the journal.
  if (!is_ours) return reopen();
  const std::string older = rotated_path(place->name);
  const std::filesystem::path shown = rotated_path(path_);
  if (Status allowed = may_replace(*place, older, shown); !allowed) return allowed;
  const int folder = place->folder.get();
  if (::renameat(folder, place->name.c_str(), folder, older.c_str()) != 0) {
    return fail(ErrorCode::unavailable, shown.string(), std::generic_category().message(errno));
  }
  if (size > half_in_bytes(*limit_)) {
    losses_.notes().push_back({Note::Severity::warning,
                               "journal " + shown.string() + " has " +
                                   MemorySize::from_bytes(size).text(Units::automatic) +
                                   ", over half of --journal-max; the next rotation replaces it"});
  }
  return reopen();
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
  auto file = open_as_journal(path_);
  if (!file) return fail(file.error());
  file_ = *std::move(file);
  // Another program may have created this one.
  created_ = false;
  return {};
}

std::uint64_t JournalWriter::size() const {
  struct stat info {};
  return ::fstat(file_.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

void JournalLosses::note_result(const Status& status, const Tick& tick,
                                const std::filesystem::path& path) {
  if (status) {
    if (loss_) {
      notes_.push_back({Note::Severity::info, "journal " + path.string() + ": written again; " +
                                                  std::to_string(loss_->ticks) +
                                                  " ticks were lost"});
    }
    loss_.reset();
    return;
  }
  ++lost_;
  if (!loss_) {
    loss_ = JournalLoss{status.error().text(), 0, tick.snapshot.wall_time};
    notes_.push_back({Note::Severity::error,
                      "journal " + loss_->error + "; ticks are lost until it can be written"});
  }
  ++loss_->ticks;
}

}  // namespace memcoord::observers
