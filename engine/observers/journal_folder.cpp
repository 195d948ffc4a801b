#include "engine/observers/journal_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include "engine/observers/journal_files.h"

namespace memcoord::observers {
namespace {

namespace fs = std::filesystem;

const std::string kWhatFolder = "the journal";
constexpr mode_t kFolderMode = 0755;  ///< less what the umask takes

std::uint64_t segment_size_for(const JournalLimits& limits) {
  constexpr std::uint64_t kSegments = 4;  ///< that a limit has room for at least
  const std::uint64_t most = FolderJournal::kSegmentSize.bytes();
  return limits.max ? std::min(most, limits.max->bytes() / kSegments) : most;
}

/// A folder that this process may write, locked.
Result<files::OpenFile> locked(const fs::path& folder) {
  if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return files::cannot_write(folder, kWhatFolder, errno);
  }
  files::OpenFile file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file) return files::cannot_write(folder, kWhatFolder, errno);
  if (::faccessat(file.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    return files::cannot_write(folder, kWhatFolder, errno);
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::unavailable, folder.string(), "another memcoord writes its journal here",
                "name another folder");
  }
  return file;
}

}  // namespace

bool means_folder(const fs::path& path) {
  std::error_code ignored;
  return path.native().ends_with('/') || fs::is_directory(path, ignored);
}

Result<std::unique_ptr<FolderJournal>> FolderJournal::open(const fs::path& folder,
                                                           const JournalLimits& limits,
                                                           Packing packing) {
  std::error_code ignored;
  const bool existed = fs::exists(folder, ignored);
  auto lock = locked(folder);
  if (!lock) return fail(lock.error());
  // make_unique cannot call the private constructor.
  std::unique_ptr<FolderJournal> journal(
      new FolderJournal(folder, *std::move(lock), limits, packing));
  journal->created_ = !existed;
  return journal;
}

FolderJournal::~FolderJournal() {
  current_.reset();
  if (packing_ == Packing::first) keeper_.wait();
  // Fails for a folder that has anything in it.
  if (created_) ::rmdir(folder_.c_str());
}

FolderJournal::FolderJournal(fs::path folder, files::OpenFile lock, const JournalLimits& limits,
                             Packing packing)
    : folder_(std::move(folder)),
      lock_(std::move(lock)),
      segment_size_(segment_size_for(limits)),
      packing_(packing),
      keeper_(folder_, limits) {}

void FolderJournal::observe(const Tick& tick) {
  const WallTime now = tick.snapshot.wall_time;
  // While ticks are lost, a new segment would lose them too.
  if (!current_ || (is_over(now) && !current_->loss())) {
    const Status begun = begin_segment(now);
    if (!begun && !current_) return losses_.note_result(begun, tick, folder_);
    if (!begun && !std::exchange(grows_on_, true)) {
      notes_.push_back({Note::Severity::warning,
                        "journal " + current_->path().string() +
                            " grows on: no new segment can begin: " + begun.error().text()});
    }
    if (begun) {
      grows_on_ = false;
      losses_.note_result(begun, tick, folder_);
    }
  }
  current_->observe(tick);
}

bool FolderJournal::is_over(WallTime now) const {
  using namespace std::chrono_literals;
  // A clock that was set back begins a new segment, so that each has one range of time.
  return now - begin_ >= kSegmentTime || now < begin_ - 1s || current_->size() >= segment_size_;
}

Status FolderJournal::begin_segment(WallTime now) {
  auto writer = JournalWriter::open(next_path(now));
  if (!writer) return fail(writer.error());
  if (current_) {
    lost_before_ += current_->lost();
    const std::vector<Note> notes = current_->drain_notes();
    notes_.insert(notes_.end(), notes.begin(), notes.end());
  }
  current_ = *std::move(writer);
  const std::string name = current_->path().filename().string();
  begin_ = segment_begin(name).value_or(now);
  if (packing_ == Packing::first) keeper_.wait();
  keeper_.begin_segment(name, now, segment_size_);
  return {};
}

/// The newest segment there, if this run has none yet and it is not over; else a new one.
fs::path FolderJournal::next_path(WallTime now) const {
  const std::vector<Segment> segments = segments_in(folder_);
  if (!current_ && !segments.empty()) {
    const Segment& newest = segments.back();
    const bool goes_on = newest.name.ends_with(kPlainEnding) && newest.size < segment_size_ &&
                         newest.begin <= now && now - newest.begin < kSegmentTime;
    if (goes_on && JournalWriter::open(folder_ / newest.name)) return folder_ / newest.name;
  }
  for (int number = 1;; ++number) {
    const std::string name = segment_name(now, number);
    const bool taken = std::any_of(segments.begin(), segments.end(), [&](const Segment& one) {
      return one.name == name + std::string(kPlainEnding) ||
             one.name == name + std::string(kPackedEnding);
    });
    if (!taken) return folder_ / (name + std::string(kPlainEnding));
  }
}

Status FolderJournal::reopen() {
  return current_ ? current_->reopen() : Status();
}

std::uint64_t FolderJournal::lost() const {
  return lost_before_ + losses_.lost() + (current_ ? current_->lost() : 0);
}

const std::optional<JournalLoss>& FolderJournal::loss() const {
  return current_ && !losses_.loss() ? current_->loss() : losses_.loss();
}

std::uint64_t FolderJournal::size() const {
  std::uint64_t sum = 0;
  for (const Segment& segment : segments_in(folder_)) sum += segment.size;
  return sum;
}

std::vector<Note> FolderJournal::drain_notes() {
  std::vector<Note> notes = std::exchange(notes_, {});
  const auto take = [&](std::vector<Note> more) {
    notes.insert(notes.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  };
  take(std::exchange(losses_.notes(), {}));
  if (current_) take(current_->drain_notes());
  take(keeper_.drain_notes());
  return notes;
}

Result<std::unique_ptr<Journal>> open_journal(const fs::path& path, const JournalLimits& limits,
                                              Packing packing) {
  if (means_folder(path)) {
    auto folder = FolderJournal::open(path, limits, packing);
    if (!folder) return fail(folder.error());
    return std::unique_ptr<Journal>(*std::move(folder));
  }
  if (limits.keep) {
    return fail(ErrorCode::invalid_input, "--journal-keep",
                "needs a journal that is a folder, and " + path.string() + " is a file",
                "name a folder: --journal DIR/");
  }
  auto file = JournalWriter::open(path, limits.max);
  if (!file) return fail(file.error());
  return std::unique_ptr<Journal>(*std::move(file));
}

}  // namespace memcoord::observers
