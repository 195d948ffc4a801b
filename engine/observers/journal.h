#pragma once
// The journal: one Tick per line, in JSON, complete enough to replay. docs/command-line.md, "The
// journal", is its reference.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/tick.h"
#include "engine/files/open_file.h"

namespace memcoord::observers {

/// Ticks that a journal loses because it cannot be written.
struct JournalLoss {
  std::string error;        ///< of the first of them: "/var/log/j: the journal cannot be written"
  std::uint64_t ticks = 0;  ///< in a row, up to the newest tick
  WallTime since;           ///< the time of the first of them
};

/// Appends ticks to a file. A tick that cannot be written (a full disk, a removed folder) is lost
/// and counted; it never stops the loop. Each line is one write, and a partial line is cut off
/// again: readers always find whole lines.
///
/// With a size limit it rotates: before the file would have more than half of the limit, it becomes
/// PATH.1, in place of an older one, and a new file begins with a whole line. If that is impossible
/// (PATH.1 is a folder or no journal), the file grows on, and a note says so once.
class JournalWriter final : public Observer {
 public:
  /// The smallest limit. Half of it holds a tick of some 400 domains.
  static constexpr MemorySize kLeastLimit = MemorySize::from_mib(1);

  /// Creates the file, or continues after its last whole line. A file whose last line is not a tick
  /// stays as it is. `limit`: what the file and PATH.1 may have together. Errors: those of
  /// files::place_to_write(), and invalid_input for a file that is no journal.
  static Result<std::unique_ptr<JournalWriter>> open(const std::filesystem::path& path,
                                                     std::optional<MemorySize> limit = {});
  /// The file to which a rotation moves the journal.
  static std::filesystem::path rotated_path(const std::filesystem::path& journal) {
    return journal.string() + ".1";
  }
  ~JournalWriter() override = default;
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  void observe(const Tick& tick) override;
  /// Opens the path again, after a rotation. If that fails, the old file stays in use.
  Status reopen();
  /// The number of ticks lost so far.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  /// No value if the newest tick was written.
  [[nodiscard]] const std::optional<JournalLoss>& loss() const { return loss_; }
  /// The notes since the last call: that ticks are being lost, and that writing works again. Each
  /// is said once.
  std::vector<Note> drain_notes();

 private:
  JournalWriter(std::filesystem::path path, std::optional<MemorySize> limit)
      : path_(std::move(path)), limit_(limit) {}
  Status make_room(const std::string& line);
  Status rotate(std::uint64_t size);
  Status write_line(const std::string& line);
  [[nodiscard]] bool file_is_gone() const;
  void note_result(const Status& status, const Tick& tick);

  std::filesystem::path path_;
  std::optional<MemorySize> limit_;
  files::OpenFile file_;
  bool grows_on_ = false;  ///< the last rotation failed
  std::uint64_t lost_ = 0;
  std::optional<JournalLoss> loss_;
  std::vector<Note> notes_;
};

/// Reads a journal tick by tick, in the memory of its longest line.
class JournalReader {
 public:
  /// Errors: those of files::open_to_read().
  static Result<JournalReader> open(const std::filesystem::path& path);

  /// The next tick, or none at the end. A last line without its line end was cut off and counts as
  /// the end: see cut_off(). Errors: invalid_input for a file that does not begin with a tick;
  /// those of tick_from_json_line() and files::LineReader::next(), their object "path:line".
  Result<std::optional<Tick>> next();
  [[nodiscard]] bool cut_off() const { return cut_off_; }
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  JournalReader(std::filesystem::path path, files::LineReader lines)
      : path_(std::move(path)), lines_(std::move(lines)) {}

  std::filesystem::path path_;
  files::LineReader lines_;
  std::size_t line_ = 0;  ///< the number of the last whole line
  bool cut_off_ = false;
};

}  // namespace memcoord::observers
