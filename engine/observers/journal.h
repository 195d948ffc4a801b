#pragma once
// The journal: one Tick per line, in JSON, complete enough to replay. docs/command-line.md, "The
// journal", is its reference.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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

/// Counts the ticks that a journal loses, and says so once for each series of them.
class JournalLosses {
 public:
  /// The result of writing a tick. `path` is the journal's.
  void note_result(const Status& status, const Tick& tick, const std::filesystem::path& path);
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  /// No value if the newest tick was written.
  [[nodiscard]] const std::optional<JournalLoss>& loss() const { return loss_; }
  std::vector<Note>& notes() { return notes_; }

 private:
  std::uint64_t lost_ = 0;
  std::optional<JournalLoss> loss_;
  std::vector<Note> notes_;
};

/// Keeps ticks: in a file (JournalWriter), or in a folder (FolderJournal).
class Journal : public Observer {
 public:
  /// Opens the path again, because another program may have moved the file.
  virtual Status reopen() = 0;
  /// The number of ticks lost so far.
  [[nodiscard]] virtual std::uint64_t lost() const = 0;
  /// No value if the newest tick was written.
  [[nodiscard]] virtual const std::optional<JournalLoss>& loss() const = 0;
  /// What the journal's files take, in bytes.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// The notes since the last call: that ticks are being lost, and that writing works again. Each
  /// is said once.
  virtual std::vector<Note> drain_notes() = 0;
};

/// Appends ticks to a file. A tick that cannot be written (a full disk, a removed folder) is lost
/// and counted; it never stops the loop. Each line is one write, and a partial line is cut off
/// again: readers always find whole lines.
///
/// With a size limit it rotates: before the file would have more than half of the limit, it becomes
/// PATH.1, in place of an older one, and a new file begins with a whole line. If that is impossible
/// (PATH.1 is a folder or no journal), the file grows on, and a note says so once.
class JournalWriter final : public Journal {
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
  /// Removes a file that it has created and written nothing to.
  ~JournalWriter() override;
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  void observe(const Tick& tick) override;
  /// Opens the path again, after a rotation. If that fails, the old file stays in use.
  Status reopen() override;
  [[nodiscard]] std::uint64_t lost() const override { return losses_.lost(); }
  [[nodiscard]] const std::optional<JournalLoss>& loss() const override { return losses_.loss(); }
  std::vector<Note> drain_notes() override { return std::exchange(losses_.notes(), {}); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// The size in bytes, without a rotated file.
  [[nodiscard]] std::uint64_t size() const override;

 private:
  JournalWriter(std::filesystem::path path, std::optional<MemorySize> limit)
      : path_(std::move(path)), limit_(limit) {}
  Status make_room(const std::string& line);
  Status rotate(std::uint64_t size);
  Status write_line(const std::string& line);
  [[nodiscard]] bool file_is_gone() const;
  [[nodiscard]] bool path_names_file() const;
  void note_result(const Status& status, const Tick& tick) {
    losses_.note_result(status, tick, path_);
  }

  std::filesystem::path path_;
  std::optional<MemorySize> limit_;
  files::OpenFile file_;
  bool grows_on_ = false;  ///< the last rotation failed
  bool created_ = false;   ///< the file did not exist before
  JournalLosses losses_;
};

/// What a reader needs of each tick.
enum class TickParts {
  all,
  /// The tick's times, number, limits and host, and the domains: no proposals, decisions, outcomes
  /// or notes. Packed segments are then read several times faster.
  figures,
};

/// Reads journals tick by tick, one file after the other, in the memory of one tick and one block.
///
/// A path is a file (plain lines, or packed: see tick_packing.h) or a folder of such files. With
/// several files, a damaged one costs its own rest: a note says so, and the next file goes on. With
/// a single file, that is an error.
class JournalReader {
 public:
  /// Opens one file or folder. Errors: not_found, permission_denied and invalid_input, as
  /// files::open_to_read(); no_ticks() for a folder without a journal.
  static Result<JournalReader> open(const std::filesystem::path& path);
  /// Opens several, in the order of their first ticks' wall time; in the given order where a file
  /// does not begin with a tick, or is a pipe. Errors: as above.
  static Result<JournalReader> open(const std::vector<std::filesystem::path>& paths,
                                    TickParts parts = TickParts::all);
  JournalReader(JournalReader&&) noexcept;
  JournalReader& operator=(JournalReader&&) noexcept;
  ~JournalReader();

  /// The next tick, or none at the end. A last line without its line end was cut off and counts as
  /// the end of its file. Errors, for a single file and where no file has a tick: invalid_input for
  /// a file that is no journal, is damaged, or has no ticks (no_ticks()); unsupported for a newer
  /// version. Their object is "path:line" or the path.
  Result<std::optional<Tick>> next();
  /// What the user should know, since the last call: files that were cut off or are damaged, clocks
  /// that jump, files that seem to be from different hosts. At most kMostNotes in all.
  std::vector<Note> drain_notes();
  static constexpr std::size_t kMostNotes = 20;

  /// Whether the newest file was cut off.
  [[nodiscard]] bool cut_off() const;
  /// The number of the newest file's last whole line, where it has lines.
  [[nodiscard]] std::size_t line() const;
  /// The file of the newest tick.
  [[nodiscard]] const std::filesystem::path& file() const;

 private:
  class Files;
  explicit JournalReader(std::unique_ptr<Files> files);

  std::unique_ptr<Files> files_;
};

}  // namespace memcoord::observers
