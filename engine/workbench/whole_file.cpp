#include "engine/workbench/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace memcoord::workbench {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> cannot_write(const fs::path& path, int number) {
  const bool refused = number == EACCES || number == EPERM || number == EROFS;
  const auto code = refused            ? ErrorCode::permission_denied
                    : number == ENOENT ? ErrorCode::not_found
                                       : ErrorCode::invalid_input;
  const char* hint = number == ENOENT   ? "its folder must exist"
                     : number == ENOSPC ? "free some space, or name a file on another disk"
                                        : "name a file that you may write";
  return fail(code, path.string(), "cannot be written: " + std::generic_category().message(number),
              hint);
}

/// A file that is being written. What was not kept goes with it.
class OpenFile {
 public:
  static Result<OpenFile> beside(const fs::path& path) {
    std::string name = (path.parent_path() / ("." + path.filename().string() + ".XXXXXX")).string();
    const int file = ::mkostemp(name.data(), O_CLOEXEC);
    if (file < 0) return cannot_write(path, errno);
    return OpenFile(file, path, std::move(name));
  }
  static Result<OpenFile> directly(const fs::path& path) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return cannot_write(path, errno);
    return OpenFile(file, path, {});
  }
  OpenFile(OpenFile&& other) noexcept
      : file_(std::exchange(other.file_, -1)),
        path_(std::move(other.path_)),
        temporary_(std::exchange(other.temporary_, {})),
        problem_(other.problem_) {}
  OpenFile& operator=(OpenFile&&) = delete;
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (file_ >= 0) ::close(file_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  void write(std::string_view piece) {
    while (!piece.empty() && problem_ == 0) {
      const ssize_t written = ::write(file_, piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) problem_ = errno;
      if (written > 0) piece.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  /// All of it is there: it takes its name.
  Status keep() {
    if (problem_ == 0 && !temporary_.empty()) {
      set_usual_mode();
      if (::fsync(file_) != 0 && errno != EINVAL) problem_ = errno;
    }
    if (problem_ == 0 && ::close(std::exchange(file_, -1)) != 0) problem_ = errno;
    if (problem_ == 0 && !temporary_.empty()) {
      if (::rename(temporary_.c_str(), path_.c_str()) != 0) problem_ = errno;
      if (problem_ == 0) temporary_.clear();
    }
    if (problem_ != 0) return cannot_write(path_, problem_);
    return {};
  }

 private:
  OpenFile(int file, fs::path path, std::string temporary)
      : file_(file), path_(std::move(path)), temporary_(std::move(temporary)) {}

  /// mkostemp() lets nobody else read; a file that is replaced keeps its mode, a new one gets what
  /// the umask leaves.
  void set_usual_mode() const {
    struct stat old {};
    if (::stat(path_.c_str(), &old) == 0) {
      (void)!::fchmod(file_, old.st_mode & 0777U);
      return;
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    (void)!::fchmod(file_, 0666U & ~mask);
  }

  int file_;
  fs::path path_;
  std::string temporary_;
  int problem_ = 0;
};

Result<OpenFile> open(const fs::path& named) {
  std::error_code problem;
  fs::path path = named;
  if (fs::is_symlink(path, problem)) path = fs::weakly_canonical(path, problem);
  const fs::file_status status = fs::status(path, problem);
  if (fs::is_directory(status)) {
    return fail(ErrorCode::invalid_input, named.string(), "is a folder", "name a file");
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) return OpenFile::directly(path);
  // A file that may not be written is not replaced either, although its folder would allow it.
  if (fs::exists(status) && ::access(path.c_str(), W_OK) != 0) return cannot_write(named, errno);
  return OpenFile::beside(path);
}

}  // namespace

Status write_whole_file(const fs::path& path,
                        const std::function<Status(const WritePiece&)>& produce) {
  auto file = open(path);
  if (!file) return fail(file.error());
  if (Status made = produce([&](std::string_view piece) { file->write(piece); }); !made) {
    return made;
  }
  return file->keep();
}

Status check_writable(const fs::path& path) {
  const auto file = open(path);
  if (!file) return fail(file.error());
  return {};
}

}  // namespace memcoord::workbench
