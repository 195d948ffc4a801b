#pragma once
// One file of a journal, in whichever form it has its ticks.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "engine/core/tick.h"

namespace memcoord::observers {

/// The ticks of one file, in order.
class TickFile {
 public:
  virtual ~TickFile() = default;
  /// The next tick, or none at the end. Errors: those of JournalReader::next() for a single file;
  /// after one, the file has no further ticks.
  virtual Result<std::optional<Tick>> next() = 0;
  /// Whether the file ends within a tick, or before its own end mark.
  [[nodiscard]] virtual bool cut_off() const = 0;
  /// The number of the last whole line; of ticks, in a packed file. 0 before the first one.
  [[nodiscard]] virtual std::size_t line() const = 0;
  /// What line() counts: "line" or "tick".
  [[nodiscard]] virtual std::string_view unit() const = 0;
};

/// What to say of a file that is cut off: "is cut off; read up to line 5", or "up to tick 5".
std::string cut_off_text(const TickFile& file);

/// A file of plain lines. Errors: those of files::open_to_read().
Result<std::unique_ptr<TickFile>> open_plain_ticks(const std::filesystem::path& path);

}  // namespace memcoord::observers
