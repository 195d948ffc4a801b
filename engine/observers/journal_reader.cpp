// Reads journals: plain files, packed ones, folders, and several of them.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "engine/observers/events.h"
#include "engine/observers/journal.h"
#include "engine/observers/journal_files.h"
#include "engine/observers/packed_journal.h"
#include "engine/observers/tick_file.h"
#include "engine/observers/tick_json.h"

namespace memcoord::observers {
namespace {

namespace fs = std::filesystem;

/// Whether a line that may be cut off is a tick's.
bool begins_as_tick(std::string_view line) {
  return line.starts_with(kTickLineStart) || kTickLineStart.starts_with(line);
}

class PlainTicks final : public TickFile {
 public:
  PlainTicks(fs::path path, files::LineReader lines)
      : path_(std::move(path)), lines_(std::move(lines)) {}

  Result<std::optional<Tick>> next() override {
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
  [[nodiscard]] bool cut_off() const override { return cut_off_; }
  [[nodiscard]] std::size_t line() const override { return line_; }
  [[nodiscard]] std::string_view unit() const override { return "line"; }

 private:
  fs::path path_;
  files::LineReader lines_;
  std::size_t line_ = 0;
  bool cut_off_ = false;
};

Result<std::unique_ptr<TickFile>> open_ticks(const fs::path& path, TickParts parts) {
  return is_packed(path) ? open_packed_ticks(path, parts) : open_plain_ticks(path);
}

/// The time of a file's first tick.
std::optional<WallTime> first_time(const fs::path& path) {
  auto file = open_ticks(path, TickParts::figures);
  if (!file) return std::nullopt;
  const auto tick = (*file)->next();
  if (!tick || !*tick) return std::nullopt;
  return (*tick)->snapshot.wall_time;
}

/// Sorts the files by their first ticks. Those without a tick that can be read come last. The order
/// stays as given if a pipe is among them, which could not be read again.
void sort_by_time(std::vector<JournalFile>& files) {
  for (JournalFile& file : files) {
    std::error_code ignored;
    const bool is_pipe = fs::exists(file.path, ignored) && !fs::is_regular_file(file.path, ignored);
    if (is_pipe) return;
    if (!file.begin) file.begin = first_time(file.path);
  }
  const auto time_of = [](const JournalFile& file) { return file.begin.value_or(WallTime::max()); };
  std::stable_sort(files.begin(), files.end(), [&](const JournalFile& a, const JournalFile& b) {
    return time_of(a) < time_of(b);
  });
}

/// What the next tick needs to know of the one before.
struct LastTick {
  std::size_t file = 0;
  std::uint64_t number = 0;
  WallTime wall{};
  MonotonicTime at{};
  MemorySize host_total;  ///< 0 before a sample that worked
};

std::string moment_text(WallTime time) {
  return time_text(time, false, true);
}

}  // namespace

std::string cut_off_text(const TickFile& file) {
  if (file.line() == 0) return fmt::format("is cut off within its first {}", file.unit());
  return fmt::format("is cut off; read up to {} {}", file.unit(), file.line());
}

Result<std::unique_ptr<TickFile>> open_plain_ticks(const fs::path& path) {
  auto lines = files::LineReader::open(path, "journal");
  if (!lines) return fail(lines.error());
  return std::make_unique<PlainTicks>(path, *std::move(lines));
}

class JournalReader::Files {
 public:
  Files(std::vector<JournalFile> files, TickParts parts)
      : files_(std::move(files)), parts_(parts) {}

  Result<std::optional<Tick>> next();
  std::vector<Note> drain_notes() { return std::exchange(notes_, {}); }
  [[nodiscard]] const TickFile* current() const { return current_.get(); }
  [[nodiscard]] const fs::path& path() const {
    return files_[std::min(at_, files_.size() - 1)].path;
  }
  /// Opens the first file, so that a wrong path is an error at once.
  Status open_first();

 private:
  Status open_current();
  void note(std::string text);
  void note_times(const Tick& tick);
  void note_host(const Tick& tick);

  std::vector<JournalFile> files_;
  TickParts parts_;
  std::size_t at_ = 0;  ///< the current file's place
  std::unique_ptr<TickFile> current_;
  std::optional<Error> first_error_;
  std::optional<LastTick> last_;
  std::vector<Note> notes_;
  std::size_t said_ = 0;
};

Status JournalReader::Files::open_first() {
  // Every path must name something that can be read; folders were read already. Among several
  // files, one of a newer version costs its own ticks alone.
  for (const JournalFile& file : files_) {
    if (file.begin) continue;
    auto opened = open_ticks(file.path, parts_);
    const bool is_newer = !opened && opened.error().code == ErrorCode::unsupported;
    if (is_newer && files_.size() > 1) continue;
    if (!opened) return fail(opened.error());
    if (&file == &files_.front()) current_ = *std::move(opened);
  }
  return current_ || files_.size() > 1 ? Status() : open_current();
}

Status JournalReader::Files::open_current() {
  auto file = open_ticks(files_[at_].path, parts_);
  // A run may have packed the segment since its folder was read.
  if (!file && file.error().code == ErrorCode::not_found &&
      segment_begin(files_[at_].path.filename().string())) {
    fs::path packed = files_[at_].path;
    packed.replace_extension(kPackedEnding);
    if (auto instead = open_ticks(packed, parts_)) file = std::move(instead);
  }
  if (!file) return fail(file.error());
  current_ = *std::move(file);
  return {};
}

Result<std::optional<Tick>> JournalReader::Files::next() {
  while (at_ < files_.size()) {
    const Status opened = current_ ? Status() : open_current();
    auto tick = opened ? current_->next() : Result<std::optional<Tick>>(fail(opened.error()));
    if (tick && *tick) {
      note_times(**tick);
      return tick;
    }
    if (!tick && files_.size() == 1) return tick;
    if (!tick) {
      if (!first_error_) first_error_ = tick.error();
      note(tick.error().text() + "; the rest of this file is left out");
    } else if (current_->cut_off()) {
      note(path().string() + ": " + cut_off_text(*current_));
    }
    // The last file stays open: cut_off() and line() are about it.
    if (++at_ < files_.size()) current_.reset();
  }
  if (!last_) return fail(first_error_.value_or(no_ticks(files_.front().path)));
  return std::optional<Tick>();
}

void JournalReader::Files::note(std::string text) {
  if (said_ == kMostNotes) return;
  if (++said_ == kMostNotes) text = "further notes on these journals are left out";
  notes_.push_back({Note::Severity::warning, std::move(text)});
}

/// Notes a clock that jumps, and files that overlap.
void JournalReader::Files::note_times(const Tick& tick) {
  using namespace std::chrono_literals;
  constexpr auto kJump = 60s;
  const WallTime wall = tick.snapshot.wall_time;
  if (last_) {
    const bool other_file = last_->file != at_;
    const auto by = wall - last_->wall;
    const auto really = tick.snapshot.taken_at - last_->at;
    if (other_file && by < -1s) {
      note(path().string() + ": begins at " + moment_text(wall) + ", before " +
           files_[last_->file].path.string() + " ends (" + moment_text(last_->wall) +
           "): are these journals of different hosts?");
    } else if (by < -1s) {
      note(path().string() + ": the clock goes back from " + moment_text(last_->wall) + " to " +
           moment_text(wall));
    } else if (tick.number == last_->number + 1 && really >= 0s && by - really > kJump) {
      note(path().string() + ": the clock jumps from " + moment_text(last_->wall) + " to " +
           moment_text(wall));
    }
  }
  note_host(tick);
  const MemorySize total =
      tick.sample_error && last_ ? last_->host_total : tick.snapshot.host.total;
  last_ = LastTick{at_, tick.number, wall, tick.snapshot.taken_at, total};
}

void JournalReader::Files::note_host(const Tick& tick) {
  const MemorySize total = tick.snapshot.host.total;
  if (tick.sample_error || !last_ || last_->file == at_ || last_->host_total.is_zero()) return;
  if (total == last_->host_total) return;
  note(path().string() + ": is of a host with " + total.text() + ", " +
       files_[last_->file].path.string() + " of one with " + last_->host_total.text() +
       ": are these journals of different hosts?");
}

JournalReader::JournalReader(std::unique_ptr<Files> files) : files_(std::move(files)) {}
JournalReader::JournalReader(JournalReader&&) noexcept = default;
JournalReader& JournalReader::operator=(JournalReader&&) noexcept = default;
JournalReader::~JournalReader() = default;

Result<JournalReader> JournalReader::open(const fs::path& path) {
  return open(std::vector<fs::path>{path});
}

Result<JournalReader> JournalReader::open(const std::vector<fs::path>& paths, TickParts parts) {
  auto found = journal_files(paths);
  if (!found) return fail(found.error());
  if (found->empty()) return fail(ErrorCode::invalid_input, "", "no journal is named");
  if (found->size() > 1) sort_by_time(*found);
  auto files = std::make_unique<Files>(*std::move(found), parts);
  if (Status opened = files->open_first(); !opened) return fail(opened.error());
  return JournalReader(std::move(files));
}

Result<std::optional<Tick>> JournalReader::next() {
  return files_->next();
}

std::vector<Note> JournalReader::drain_notes() {
  return files_->drain_notes();
}

bool JournalReader::cut_off() const {
  return files_->current() != nullptr && files_->current()->cut_off();
}

std::size_t JournalReader::line() const {
  return files_->current() != nullptr ? files_->current()->line() : 0;
}

const fs::path& JournalReader::file() const {
  return files_->path();
}

}  // namespace memcoord::observers
