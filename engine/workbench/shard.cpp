#include "engine/workbench/shard.h"

#include <fmt/core.h>

#include <charconv>

#include "engine/files/open_file.h"

namespace memcoord::workbench {
namespace {

constexpr auto kBadShard = ErrorCode::invalid_input;
/// A sweep of more rows would be more than a cluster computes.
constexpr std::size_t kMostRows = 100'000'000;

/// Takes a text from the front.
bool skip_text(std::string_view& line, std::string_view expected) {
  if (!line.starts_with(expected)) return false;
  line.remove_prefix(expected.size());
  return true;
}

/// Takes a whole number over 0 from the front.
std::optional<std::size_t> take_number(std::string_view& line, std::size_t most) {
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (code != std::errc() || number == 0 || number > most) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  return number;
}

bool is_sweep_id(std::string_view text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The places of the files by the index of their shards, from 0.
using ByIndex = std::vector<const ShardFile*>;

Result<ByIndex> files_by_index(const std::vector<ShardFile>& files) {
  const ShardFile& first = files.front();
  ByIndex by_index(first.label.shard.count, nullptr);
  for (const ShardFile& file : files) {
    const ShardLabel& label = file.label;
    const bool belongs = label.command == first.label.command && label.sweep == first.label.sweep &&
                         label.rows == first.label.rows &&
                         label.shard.count == first.label.shard.count &&
                         file.heading == first.heading;
    if (!belongs) {
      return fail(
          kBadShard, file.path, "is a shard of another sweep than " + first.path,
          "shards need the same command, version and inputs, and the same N in --shard I/N");
    }
    const ShardFile*& place = by_index[label.shard.index - 1];
    if (place != nullptr) {
      return fail(kBadShard, file.path,
                  fmt::format("is shard {} again, as {}", label.shard.index, place->path));
    }
    place = &file;
  }
  return by_index;
}

/// "shard 3", "shards 3, 5 and 9 more".
std::string missing_text(const ByIndex& by_index) {
  constexpr std::size_t kNamed = 5;
  std::string names;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < by_index.size(); ++i) {
    if (by_index[i] != nullptr) continue;
    if (++missing > kNamed) continue;
    names += (names.empty() ? "" : ", ") + std::to_string(i + 1);
  }
  if (missing > kNamed) names += fmt::format(" and {} more", missing - kNamed);
  return missing == 0 ? "" : (missing == 1 ? "shard " : "shards ") + names;
}

}  // namespace

std::vector<std::size_t> Shard::cells(std::size_t all) const {
  std::vector<std::size_t> cells;
  for (std::size_t cell = index - 1; cell < all; cell += count) cells.push_back(cell);
  return cells;
}

Result<Shard> parse_shard(std::string_view text) {
  std::string_view rest = text;
  const auto index = take_number(rest, Shard::kMost);
  const auto count = index && skip_text(rest, "/") ? take_number(rest, Shard::kMost) : std::nullopt;
  if (!count || !rest.empty()) {
    return fail(kBadShard, "", "'" + std::string(text.substr(0, 40)) + "' is not a shard",
                "expected I/N, as in 2/4");
  }
  if (*index > *count) {
    return fail(kBadShard, "", fmt::format("there is no shard {} of {}", *index, *count),
                "shards count from 1");
  }
  return Shard{*index, *count};
}

void SweepId::add(std::string_view part) {
  for (std::size_t size = part.size(), i = 0; i < sizeof size; ++i, size >>= 8U) {
    mix(static_cast<unsigned char>(size & 0xffU));
  }
  for (const char c : part) mix(static_cast<unsigned char>(c));
}

std::string SweepId::text() const {
  return fmt::format("{:016x}", hash_);
}

std::string shard_line(const ShardLabel& label) {
  return fmt::format("# memcoord {}, shard {} of {}, {} rows in all, sweep {}", label.command,
                     label.shard.index, label.shard.count, label.rows, label.sweep);
}

std::optional<ShardLabel> parse_shard_line(std::string_view line) {
  ShardLabel label;
  if (!skip_text(line, "# memcoord ")) return std::nullopt;
  label.command = line.substr(0, line.find(','));
  line.remove_prefix(label.command.size());
  if (!skip_text(line, ", shard ")) return std::nullopt;
  const auto index = take_number(line, Shard::kMost);
  if (!index || !skip_text(line, " of ")) return std::nullopt;
  const auto count = take_number(line, Shard::kMost);
  if (!count || *index > *count || !skip_text(line, ", ")) return std::nullopt;
  const auto rows = take_number(line, kMostRows);
  if (!rows || !skip_text(line, " rows in all, sweep ") || !is_sweep_id(line)) return std::nullopt;
  label.shard = {*index, *count};
  label.rows = *rows;
  label.sweep = line;
  return label;
}

Result<ShardFile> read_shard(const std::filesystem::path& path) {
  auto lines = files::LineReader::open(path, "shard");
  if (!lines) return fail(lines.error());
  ShardFile file{path.string(), {}, {}, {}};
  std::size_t number = 0;
  for (;;) {
    const auto more = lines->next();
    if (!more) return fail(more.error());
    if (!*more) break;
    // A row without a line end may have been cut off.
    if (lines->is_open_ended()) break;
    if (++number == 1) {
      auto label = parse_shard_line(lines->text());
      if (!label) break;
      file.label = *std::move(label);
    } else if (number == 2) {
      file.heading = lines->text();
    } else {
      file.rows.push_back(lines->text());
    }
  }
  if (file.label.rows == 0) {
    return fail(kBadShard, file.path, "is not a shard", "write it with --shard I/N --csv");
  }
  const std::size_t expected = file.label.shard.cells(file.label.rows).size();
  if (number < 2 || file.rows.size() != expected) {
    return fail(kBadShard, file.path,
                fmt::format("is not whole: it has {} of {} rows", file.rows.size(), expected),
                "run this shard again");
  }
  return file;
}

Result<std::vector<std::string>> merge_shards(const std::vector<ShardFile>& files) {
  if (files.empty()) return fail(kBadShard, "", "there are no shards");
  const auto by_index = files_by_index(files);
  if (!by_index) return fail(by_index.error());
  if (const std::string missing = missing_text(*by_index); !missing.empty()) {
    return fail(kBadShard, "", fmt::format("{} of {} missing", missing, by_index->size()));
  }
  std::vector<std::string> lines{files.front().heading};
  const std::size_t rows = files.front().label.rows;
  lines.reserve(rows + 1);
  for (std::size_t cell = 0; cell < rows; ++cell) {
    lines.push_back((*by_index)[cell % by_index->size()]->rows[cell / by_index->size()]);
  }
  return lines;
}

}  // namespace memcoord::workbench
