#pragma once
// Parts of a sweep. A sweep is a list of cells that are computed apart from each other: the orders
// and hosts of `memcoord density`, the policies by scenarios of `memcoord compare`. Each cell is a
// row of CSV. Shard I of N has every Nth cell from the Ith on, so that shards take about equally
// long, and the rows of all shards, dealt in turn, are those of the whole sweep.
//
// A shard's file has one line before the heading, which tells where it belongs:
//
//   # memcoord density, shard 2 of 4, 10 rows in all, sweep 9ae16a3b2f90404f

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"

namespace memcoord::workbench {

struct Shard {
  std::size_t index = 1;  ///< from 1 to `count`
  std::size_t count = 1;
  static constexpr std::size_t kMost = 100'000;

  [[nodiscard]] bool has(std::size_t cell) const { return cell % count == index - 1; }
  /// Its cells of a sweep of so many, in order.
  [[nodiscard]] std::vector<std::size_t> cells(std::size_t all) const;
  bool operator==(const Shard&) const = default;
};
/// Reads "2/4". Errors, without an object: invalid_input.
Result<Shard> parse_shard(std::string_view text);

/// Identifies a sweep by everything that decides its figures, so that shards of different sweeps
/// are told apart. The hash is FNV-1a of 64 bits (Fowler, Noll, Vo), each part with its length.
class SweepId {
 public:
  void add(std::string_view part);
  /// 16 hexadecimal digits.
  [[nodiscard]] std::string text() const;

 private:
  void mix(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3U; }
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

/// The first line of a shard's file.
struct ShardLabel {
  std::string command;  ///< "density"
  Shard shard;
  std::size_t rows = 0;  ///< of the whole sweep
  std::string sweep;     ///< SweepId::text()
  bool operator==(const ShardLabel&) const = default;
};
/// The line, without a line end.
std::string shard_line(const ShardLabel& label);
/// Nothing if the line is no such line.
std::optional<ShardLabel> parse_shard_line(std::string_view line);

/// A shard's file.
struct ShardFile {
  std::string path;
  ShardLabel label;
  std::string heading;
  std::vector<std::string> rows;
};
/// Errors: those of files::LineReader; invalid_input with the file as the object (it is no shard,
/// or not a whole one).
Result<ShardFile> read_shard(const std::filesystem::path& path);

/// The lines of the whole sweep, its heading first: what the same command prints without --shard.
/// Errors: invalid_input (a shard of another sweep, two of the same, one that is missing), with a
/// file as the object where one is to blame.
Result<std::vector<std::string>> merge_shards(const std::vector<ShardFile>& files);

}  // namespace memcoord::workbench
