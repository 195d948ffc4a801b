#pragma once
// A journal that is a folder of segments: the newest ticks as plain lines, older ones packed.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/error.h"
#include "engine/files/open_file.h"
#include "engine/observers/journal.h"
#include "engine/observers/segment_keeper.h"

namespace memcoord::observers {

/// Whether a new segment waits until older ones are packed. A run in virtual time makes ticks
/// faster than they are packed; a run in real time never waits.
enum class Packing { beside, first };

/// Whether a path of --journal means a folder: it is one, or ends in "/".
bool means_folder(const std::filesystem::path& path);

/// Appends ticks to the newest segment of a folder, DIR/ticks-20260131T101502Z.jsonl. A segment is
/// over after kSegmentTime, at kSegmentSize, or at a quarter of the limit; SegmentKeeper then packs
/// it. Ticks that cannot be written are lost and counted as by JournalWriter.
class FolderJournal final : public Journal {
 public:
  static constexpr Duration kSegmentTime = std::chrono::minutes(15);
  static constexpr MemorySize kSegmentSize = MemorySize::from_mib(64);

  /// Creates the folder if there is none. The first segment begins with the first tick: it
  /// continues the newest one there, if that is not over. Errors: not_found, permission_denied and
  /// invalid_input for a folder that cannot be written; unavailable if another process writes to
  /// it.
  static Result<std::unique_ptr<FolderJournal>> open(const std::filesystem::path& folder,
                                                     const JournalLimits& limits,
                                                     Packing packing = Packing::beside);

  /// Removes a folder that it has created and written nothing to. Waits as Packing says.
  ~FolderJournal() override;
  FolderJournal(const FolderJournal&) = delete;
  FolderJournal& operator=(const FolderJournal&) = delete;

  void observe(const Tick& tick) override;
  Status reopen() override;
  [[nodiscard]] std::uint64_t lost() const override;
  [[nodiscard]] const std::optional<JournalLoss>& loss() const override;
  /// Of all segments, those of earlier runs too.
  [[nodiscard]] std::uint64_t size() const override;
  std::vector<Note> drain_notes() override;
  /// Waits until old segments are packed and removed.
  void wait() { keeper_.wait(); }

 private:
  FolderJournal(std::filesystem::path folder, files::OpenFile lock, const JournalLimits& limits,
                Packing packing);
  [[nodiscard]] bool is_over(WallTime now) const;
  Status begin_segment(WallTime now);
  [[nodiscard]] std::filesystem::path next_path(WallTime now) const;

  std::filesystem::path folder_;
  bool created_ = false;  ///< the folder did not exist before
  files::OpenFile lock_;  ///< as long as it is open, no other process writes to the folder
  std::uint64_t segment_size_;
  Packing packing_;
  std::unique_ptr<JournalWriter> current_;
  WallTime begin_{};
  bool grows_on_ = false;          ///< no new segment can begin
  JournalLosses losses_;           ///< of ticks without a segment
  std::uint64_t lost_before_ = 0;  ///< in earlier segments
  std::vector<Note> notes_;
  SegmentKeeper keeper_;
};

/// Opens a journal: a folder or a file. Errors: those of FolderJournal::open() and
/// JournalWriter::open(); invalid_input for --journal-keep with a file.
Result<std::unique_ptr<Journal>> open_journal(const std::filesystem::path& path,
                                              const JournalLimits& limits,
                                              Packing packing = Packing::beside);

}  // namespace memcoord::observers
