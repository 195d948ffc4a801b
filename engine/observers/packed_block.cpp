#include "engine/observers/packed_block.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

namespace memcoord::observers {
namespace {

using columns::Block;
using columns::Column;

/// The compression of a thread in the background: 100 domains cost it some 2 s in 15 minutes.
constexpr int kLevel = 12;
/// A column of fewer bytes stands in the directory: a frame of its own would be larger.
constexpr std::size_t kFewBytes = 128;
constexpr unsigned kValueBits = 64;

void append_u32(std::string& out, std::uint32_t number) {
  for (unsigned shift = 0; shift < 32; shift += 8)
    out += static_cast<char>(number >> shift & 0xffU);
}

void append_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7U) out += static_cast<char>(0x80U | (number & 0x7fU));
  out += static_cast<char>(number);
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

/// Reads a directory; after its end, or after a damaged number, everything is zero or empty.
class DirectoryReader {
 public:
  explicit DirectoryReader(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < kValueBits && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      number |= (byte & 0x7fULL) << shift;
      if (byte < 0x80) return number;
    }
    damaged_ = true;
    return 0;
  }
  std::string_view text() {
    const std::uint64_t size = number();
    if (size > rest_.size()) damaged_ = true;
    const std::string_view text = damaged_ ? std::string_view() : rest_.substr(0, size);
    rest_.remove_prefix(text.size());
    return text;
  }
  [[nodiscard]] bool damaged() const { return damaged_; }

 private:
  std::string_view rest_;
  bool damaged_ = false;
};

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

/// Compresses into frames with checksums.
class Compressor {
 public:
  Compressor() : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }
  std::string frame(std::string_view bytes) {
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size =
        ZSTD_compress2(context_.get(), out.data(), out.size(), bytes.data(), bytes.size());
    // For lack of memory only.
    if (ZSTD_isError(size) != 0U) throw std::bad_alloc();
    out.resize(size);
    return out;
  }

 private:
  std::unique_ptr<ZSTD_CCtx, FreeCompressor> context_;
};

/// A frame's content, if it has exactly this size.
bool decompress(std::string_view frame, std::string& out, std::size_t size) {
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != size) return false;
  out.resize(size);
  return ZSTD_decompress(out.data(), size, frame.data(), frame.size()) == size;
}

/// How many bytes each of the values needs.
unsigned width_of(const std::vector<std::uint64_t>& values) {
  std::uint64_t all = 0;
  for (const std::uint64_t value : values) all |= value;
  return (kValueBits - static_cast<unsigned>(std::countl_zero(all)) + 7) / 8;
}

/// Byte number `place` of each value.
std::string plane_of(const std::vector<std::uint64_t>& values, unsigned place) {
  std::string plane(values.size(), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    plane[i] = static_cast<char>(values[i] >> 8 * place & 0xffU);
  }
  return plane;
}

void append_column(const Column& column, Compressor& compressor, std::string& directory,
                   std::string& planes) {
  const unsigned width = width_of(column.values);
  append_text(directory, column.name);
  append_number(directory, column.values.size());
  if (column.values.size() * width < kFewBytes) {
    append_number(directory, 0);
    for (const std::uint64_t value : column.values) append_number(directory, value);
    return;
  }
  append_number(directory, width);
  for (unsigned place = 0; place < width; ++place) {
    const std::string frame = compressor.frame(plane_of(column.values, place));
    append_number(directory, frame.size());
    planes += frame;
  }
}

/// A column in the directory.
struct Entry {
  Column* column = nullptr;  ///< null: not wanted
  std::size_t count = 0;
  unsigned width = 0;
};

/// Reads the planes of columns, which follow one another.
class PlanesReader {
 public:
  explicit PlanesReader(std::string_view planes) : rest_(planes) {}

  bool read(DirectoryReader& directory, const Entry& entry) {
    if (entry.column != nullptr) entry.column->values.assign(entry.count, 0);
    for (unsigned place = 0; place < entry.width; ++place) {
      const std::uint64_t size = directory.number();
      if (size > rest_.size()) return false;
      const std::string_view frame = rest_.substr(0, size);
      rest_.remove_prefix(size);
      if (entry.column == nullptr) continue;
      if (!decompress(frame, plane_, entry.count)) return false;
      std::vector<std::uint64_t>& values = entry.column->values;
      for (std::size_t i = 0; i < entry.count; ++i) {
        values[i] |= std::uint64_t{static_cast<unsigned char>(plane_[i])} << 8 * place;
      }
    }
    return true;
  }

 private:
  std::string_view rest_;
  std::string plane_;
};

using ColumnsByName = std::unordered_map<std::string_view, Column*>;

/// Reads one column. `room`: the values that the block may still have.
bool read_column(DirectoryReader& directory, PlanesReader& planes, const ColumnsByName& wanted,
                 std::size_t& room) {
  const auto found = wanted.find(directory.text());
  Entry entry;
  entry.column = found == wanted.end() ? nullptr : found->second;
  const std::uint64_t count = directory.number();
  const std::uint64_t width = directory.number();
  if (directory.damaged() || count > room || width > kValueBits / 8) return false;
  room -= count;
  entry.count = count;
  entry.width = static_cast<unsigned>(width);
  if (entry.column != nullptr) {
    if (!entry.column->all_zero) return false;  // it is there twice
    entry.column->all_zero = false;
  }
  if (width > 0) return planes.read(directory, entry);
  for (std::uint64_t i = 0; i < count && !directory.damaged(); ++i) {
    const std::uint64_t value = directory.number();
    if (entry.column != nullptr) entry.column->values.push_back(value);
  }
  return !directory.damaged();
}

}  // namespace

std::string BlockSizes::bytes() const {
  std::string out;
  for (const std::uint32_t size : {packed_directory, directory, planes}) append_u32(out, size);
  return out;
}

std::optional<BlockSizes> BlockSizes::read(std::string_view bytes) {
  const auto size_at = [&](std::size_t at) {
    std::uint32_t size = 0;
    for (unsigned i = 0; i < 4; ++i) {
      size |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << 8 * i;
    }
    return size;
  };
  const BlockSizes sizes{size_at(0), size_at(4), size_at(8)};
  const bool possible = sizes.packed_directory <= kMostDirectory &&
                        sizes.directory <= kMostDirectory && sizes.planes <= kMostPlanes;
  return possible ? std::optional(sizes) : std::nullopt;
}

std::string packed(const Block& block, std::size_t ticks) {
  Compressor compressor;
  std::string directory;
  std::string planes;
  append_number(directory, ticks);
  append_number(directory, block.texts.list.size());
  for (const std::string& text : block.texts.list) append_text(directory, text);
  for (const auto& column : block.columns) {
    if (width_of(column->values) > 0) append_column(*column, compressor, directory, planes);
  }
  append_text(directory, "");
  return packed_directory(directory, planes);
}

std::string packed_directory(std::string_view directory, std::string_view planes) {
  Compressor compressor;
  const std::string frame = compressor.frame(directory);
  const BlockSizes sizes{static_cast<std::uint32_t>(frame.size()),
                         static_cast<std::uint32_t>(directory.size()),
                         static_cast<std::uint32_t>(planes.size())};
  return sizes.bytes() + frame + std::string(planes);
}

std::optional<std::size_t> unpack(std::string_view bytes, const BlockSizes& sizes, Block& block,
                                  bool figures_only) {
  std::string content;
  if (!decompress(bytes.substr(0, sizes.packed_directory), content, sizes.directory)) {
    return std::nullopt;
  }
  DirectoryReader directory(content);
  const std::uint64_t ticks = directory.number();
  const std::uint64_t texts = directory.number();
  if (ticks > kMostTicks || texts > content.size()) return std::nullopt;
  block.texts.list.reserve(texts);
  for (std::uint64_t i = 0; i < texts && !directory.damaged(); ++i) {
    block.texts.list.emplace_back(directory.text());
  }
  ColumnsByName wanted;
  for (const auto& column : block.columns) {
    if (column->of_figures || !figures_only) wanted.emplace(column->name, column.get());
  }
  PlanesReader planes(bytes.substr(sizes.packed_directory));
  std::size_t room = kMostValues;
  // A column without a name ends the list.
  for (DirectoryReader ahead = directory; !directory.damaged(); ahead = directory) {
    if (ahead.text().empty()) break;
    if (!read_column(directory, planes, wanted, room)) return std::nullopt;
  }
  if (directory.damaged()) return std::nullopt;
  return ticks;
}

}  // namespace memcoord::observers
