#include "engine/observers/packed_journal.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <utility>

#include "engine/observers/packed_block.h"

namespace memcoord::observers {
namespace {

namespace fs = std::filesystem;

/// A block ends with the tick that makes it this large: 16 MiB of memory while it is packed.
constexpr std::size_t kBlockValues = 2'000'000;
constexpr std::size_t kLongestStart = 40;  ///< of a packed file's first line

std::string first_line() {
  return std::string(kPackedStart) + std::to_string(kPackedVersion) + "\n";
}

class PackedTicks final : public TickFile {
 public:
  PackedTicks(fs::path path, std::ifstream file, TickParts parts)
      : path_(std::move(path)), file_(std::move(file)), parts_(parts) {}

  Result<std::optional<Tick>> next() override {
    while (left_ == 0 && !over_) {
      if (Status read = read_block(); !read) {
        over_ = true;
        return fail(read.error());
      }
    }
    if (over_) return std::optional<Tick>();
    --left_;
    ++ticks_;
    Tick tick;
    if (columns_->read(tick, parts_)) return std::optional<Tick>(std::move(tick));
    over_ = true;
    return damaged();
  }
  [[nodiscard]] bool cut_off() const override { return cut_off_; }
  [[nodiscard]] std::size_t line() const override { return ticks_; }
  [[nodiscard]] std::string_view unit() const override { return "tick"; }

 private:
  [[nodiscard]] tl::unexpected<Error> damaged() const {
    return fail(ErrorCode::invalid_input, path_.string() + ":" + std::to_string(ticks_ + 1),
                "damaged: this block of a packed journal is not as memcoord wrote it");
  }
  /// Fewer bytes at the end of the file.
  std::string read_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    file_.read(bytes.data(), static_cast<std::streamsize>(size));
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file_.gcount())));
    return bytes;
  }
  void cut_off_here() { over_ = cut_off_ = true; }

  Status read_block() {
    columns_.reset();
    const std::string start = read_bytes(BlockSizes::kBytes);
    if (start.size() < BlockSizes::kBytes) return cut_off_here(), Status();
    const auto sizes = BlockSizes::read(start);
    if (!sizes) return damaged();
    if (sizes->packed_directory == 0) {
      if (file_.peek() != std::ifstream::traits_type::eof()) return damaged();
      over_ = true;
      return {};
    }
    const std::size_t size = std::size_t{sizes->packed_directory} + sizes->planes;
    const std::string bytes = read_bytes(size);
    if (bytes.size() < size) return cut_off_here(), Status();
    columns_ = std::make_unique<TickColumns>();
    const auto ticks = unpack(bytes, *sizes, columns_->block(), parts_ == TickParts::figures);
    if (!ticks) return damaged();
    left_ = *ticks;
    return {};
  }

  fs::path path_;
  std::ifstream file_;
  TickParts parts_;
  std::unique_ptr<TickColumns> columns_;
  std::size_t left_ = 0;   ///< ticks of the block
  std::size_t ticks_ = 0;  ///< ticks that were read
  bool over_ = false;
  bool cut_off_ = false;
};

/// Whether a file was cut off within its first line.
bool is_cut_start(std::string_view start) {
  return !start.empty() && first_line().starts_with(start);
}

/// The start of a regular file; empty for other files.
std::string start_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  return files::read_up_to(kLongestStart, path, "journal").value_or("");
}

}  // namespace

TickPacker::TickPacker(const files::WritePiece& write) : write_(write) {
  write_(first_line());
}

Status TickPacker::add(const Tick& tick) {
  columns_.write(tick);
  ++ticks_;
  const std::size_t size = columns_.size();
  if (size > kMostValues) {
    return fail(ErrorCode::limit_exceeded, "tick " + std::to_string(tick.number),
                "has too many values to be packed");
  }
  if (size >= kBlockValues || ticks_ == kMostTicks) write_block();
  return {};
}

void TickPacker::write_block() {
  write_(packed(columns_.block(), ticks_));
  columns_ = TickColumns();
  ticks_ = 0;
}

void TickPacker::finish() {
  if (ticks_ > 0) write_block();
  write_(BlockSizes().bytes());
}

Status pack_file(const fs::path& plain, const fs::path& packed, const std::function<bool()>& stop) {
  const auto produce = [&](const files::WritePiece& write) -> Status {
    auto ticks = open_plain_ticks(plain);
    if (!ticks) return fail(ticks.error());
    TickPacker packer(write);
    while (true) {
      const auto tick = (*ticks)->next();
      if (!tick) return fail(tick.error());
      if (!*tick) break;
      if (stop && stop()) return fail(ErrorCode::unavailable, plain.string(), "is not packed yet");
      if (Status added = packer.add(**tick); !added) return added;
    }
    packer.finish();
    return {};
  };
  struct stat info {};
  files::AtomicWrite how;
  how.mode = ::stat(plain.c_str(), &info) == 0 ? info.st_mode & 0777U : 0600U;
  return files::write_atomically(packed, produce, how);
}

bool is_packed(const fs::path& path) {
  const std::string start = start_of(path);
  return start.starts_with(kPackedStart) || is_cut_start(start);
}

Result<std::unique_ptr<TickFile>> open_packed_ticks(const fs::path& path, TickParts parts) {
  if (const auto readable = files::open_to_read(path, "journal"); !readable) {
    return fail(readable.error());
  }
  const std::string start = start_of(path);
  std::string_view version = start;
  version = version.substr(0, version.find('\n'));
  version.remove_prefix(std::min(version.size(), kPackedStart.size()));
  if (version != std::to_string(kPackedVersion) && !is_cut_start(start)) {
    return fail(ErrorCode::unsupported, path.string(),
                "packed journal version " + std::string(version) + " is not known",
                "this memcoord reads version 1");
  }
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(first_line().size()));
  return std::make_unique<PackedTicks>(path, std::move(file), parts);
}

}  // namespace memcoord::observers
