#pragma once
// Packed journals: ticks in columns (tick_columns.h), compressed by zstd. A week of 100 domains at
// a tick a second takes some 200 MiB; docs/performance.md has the measurement.
//
// A file begins with the line "memcoord-packed 1". Blocks follow, each of which is read by itself:
//
//   u32 size of the directory, compressed      a block of size 0 ends the file
//   u32 size of the directory
//   u32 size of the planes, compressed
//   the directory: a zstd frame with the numbers of ticks and texts, the texts, and for each column
//     that is not all zeros its name, its number of values, and either the values themselves
//     (if they are few), or the compressed size of each of its planes
//   the planes: plane i of a column has byte i of each of its values, as a zstd frame
//
// Numbers are little-endian; in the directory they are LEB128. Each frame has zstd's checksum.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "engine/files/atomic_file.h"
#include "engine/observers/journal.h"
#include "engine/observers/tick_columns.h"
#include "engine/observers/tick_file.h"

namespace memcoord::observers {

inline constexpr int kPackedVersion = 1;
/// How each packed file begins, before its version.
inline constexpr std::string_view kPackedStart = "memcoord-packed ";

/// Packs ticks into the pieces of a file.
class TickPacker {
 public:
  explicit TickPacker(const files::WritePiece& write);
  /// Errors: limit_exceeded for a tick with more than kMostValues values.
  Status add(const Tick& tick);
  /// Writes the rest, and the end mark.
  void finish();

 private:
  void write_block();

  const files::WritePiece& write_;
  TickColumns columns_;
  std::size_t ticks_ = 0;
};

/// Packs a file of plain lines into another one, which appears once it is complete. A cut-off last
/// line is left out. Errors: those of open_plain_ticks(), TickFile::next(), TickPacker::add() and
/// files::write_atomically(); unavailable once `stop` returns true. The plain file stays.
Status pack_file(const std::filesystem::path& plain, const std::filesystem::path& packed,
                 const std::function<bool()>& stop = {});

/// Whether a file begins as a packed journal.
bool is_packed(const std::filesystem::path& path);

/// A packed file. Errors: those of files::open_to_read(); unsupported for a newer version. Reading
/// takes the memory of a block, at most some 300 MiB if it is hostile.
Result<std::unique_ptr<TickFile>> open_packed_ticks(const std::filesystem::path& path,
                                                    TickParts parts);

}  // namespace memcoord::observers
