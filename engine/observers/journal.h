#pragma once
// The journal: a Tick a line, JSON, complete enough to replay. docs/journal.md.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/tick.h"
#include "engine/files/open_file.h"

namespace memcoord::observers {

/// Appends ticks to a file. What cannot be written is lost and counted, and never stops the loop:
/// a full disk, a file that was removed or replaced. Each line goes out in one write; a line that
/// went out in part is cut off again, so that a reader always finds whole lines.
class JournalWriter final : public Observer {
 public:
  /// Makes the file, or goes on after its last whole line. Only a journal is ever written to: a
  /// file whose last line does not begin as a tick's does stays as it is. Errors: those of
  /// files::place_to_write(), and invalid_input for a file that is no journal.
  static Result<std::unique_ptr<JournalWriter>> open(const std::filesystem::path& path);
  ~JournalWriter() override = default;
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  void observe(const Tick& tick) override;
  /// Opens the path anew, after a rotation; where that fails the old file stays in use.
  Status reopen();
  /// Ticks that could not be written so far.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  /// What went wrong or right since the last call, each said once: that ticks are being lost, and
  /// that they no longer are.
  std::vector<Note> take_notes();

 private:
  explicit JournalWriter(std::filesystem::path path) : path_(std::move(path)) {}
  Status write_line(const std::string& line);
  [[nodiscard]] bool file_is_gone() const;
  void took(const Status& status);

  std::filesystem::path path_;
  files::OpenFile file_;
  std::uint64_t lost_ = 0;
  std::uint64_t lost_in_a_row_ = 0;
  std::vector<Note> notes_;
};

/// Reads a journal, a tick at a time, in the memory that its longest line takes.
class JournalReader {
 public:
  /// Errors: those of files::open_to_read().
  static Result<JournalReader> open(const std::filesystem::path& path);

  /// The next tick; none at the end. A last line without its line break was cut off and counts as
  /// the end (see cut_off()). Errors: as tick_from_json_line() and files::LineReader::next(), their
  /// object "path:line".
  Result<std::optional<Tick>> next();
  [[nodiscard]] bool cut_off() const { return cut_off_; }
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  explicit JournalReader(files::LineReader lines) : lines_(std::move(lines)) {}

  files::LineReader lines_;
  std::size_t line_ = 0;  ///< the last whole one
  bool cut_off_ = false;
};

}  // namespace memcoord::observers
