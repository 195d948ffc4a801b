#pragma once
// The bytes of a block of a packed journal; packed_journal.h has the format.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/observers/column_nodes.h"

namespace memcoord::observers {

/// The sizes that begin a block.
struct BlockSizes {
  static constexpr std::size_t kBytes = 12;
  static constexpr std::uint32_t kMostDirectory = 80U << 20U;
  static constexpr std::uint32_t kMostPlanes = 64U << 20U;

  std::uint32_t packed_directory = 0;  ///< 0: the file's end
  std::uint32_t directory = 0;
  std::uint32_t planes = 0;

  [[nodiscard]] std::string bytes() const;
  /// None if a block cannot have these sizes. `bytes` has kBytes.
  static std::optional<BlockSizes> read(std::string_view bytes);
};

/// The most values that a block may have.
inline constexpr std::size_t kMostValues = 16'000'000;
/// The most ticks that a block may have.
inline constexpr std::size_t kMostTicks = 65'536;

/// The block as bytes, its sizes first.
std::string packed(const columns::Block& block, std::size_t ticks);

/// A block with this directory, which need not be one, and these planes.
std::string packed_directory(std::string_view directory, std::string_view planes);

/// Fills a new block's columns from the bytes after its sizes, and returns the number of ticks.
/// Columns of other names are ignored. With `figures_only`, columns that are not `of_figures` stay
/// as they are. None if the bytes are damaged.
std::optional<std::size_t> unpack(std::string_view bytes, const BlockSizes& sizes,
                                  columns::Block& block, bool figures_only);

}  // namespace memcoord::observers
