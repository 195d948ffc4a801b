#include "engine/files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <string>
#include <utility>

#include "engine/files/open_file.h"

namespace memcoord::files {
namespace {

namespace fs = std::filesystem;

const std::string kNoSubject;  ///< place_to_write()'s `what`: the path alone says which file it is

/// Six random letters for the name of a temporary file.
std::string random_letters() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device source;
  std::uniform_int_distribution<std::size_t> place(0, kLetters.size() - 1);
  std::string letters;
  for (int i = 0; i < 6; ++i) letters += kLetters[place(source)];
  return letters;
}

/// A new file beside the one that it will replace. It is deleted unless keep() succeeds.
class NewFile {
 public:
  static Result<NewFile> beside(const fs::path& path, Place place) {
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
      const std::string name = ".memcoord-" + random_letters();
      OpenFile file(::openat(place.folder.get(), name.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (file) return NewFile(path, std::move(place), std::move(file), name);
      if (errno != EEXIST) break;
    }
    return cannot_write(path, kNoSubject, errno);
  }
  NewFile(NewFile&& other) noexcept
      : path_(std::move(other.path_)),
        place_(std::move(other.place_)),
        file_(std::move(other.file_)),
        temporary_(std::exchange(other.temporary_, {})),
        problem_(other.problem_) {}
  NewFile& operator=(NewFile&&) = delete;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!temporary_.empty()) ::unlinkat(place_.folder.get(), temporary_.c_str(), 0);
  }

  void write(std::string_view piece) {
    while (!piece.empty() && problem_ == 0) {
      const ssize_t written = ::write(file_.get(), piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) problem_ = errno;
      if (written > 0) piece.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  /// Gives the complete file its final name, and returns it.
  Result<OpenFile> keep(const AtomicWrite& how) {
    const int folder = place_.folder.get();
    OpenFile same(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
    if (!same && problem_ == 0) problem_ = errno;
    if (problem_ == 0) {
      set_mode(how.mode);
      if (how.sync && ::fsync(file_.get()) != 0 && errno != EINVAL) problem_ = errno;
    }
    if (problem_ == 0) problem_ = file_.close();
    if (problem_ == 0) {
      if (::renameat(folder, temporary_.c_str(), folder, place_.name.c_str()) != 0)
        problem_ = errno;
      if (problem_ == 0) temporary_.clear();
    }
    if (problem_ != 0) return cannot_write(path_, kNoSubject, problem_);
    return same;
  }

 private:
  NewFile(fs::path path, Place place, OpenFile file, std::string temporary)
      : path_(std::move(path)),
        place_(std::move(place)),
        file_(std::move(file)),
        temporary_(std::move(temporary)) {}

  /// Until here only this user may read the file. A file that is replaced passes its mode on; a new
  /// one gets the mode that the umask allows.
  void set_mode(const std::optional<mode_t>& wanted) const {
    struct stat old {};
    if (wanted) {
      (void)!::fchmod(file_.get(), *wanted);
      return;
    }
    if (::fstatat(place_.folder.get(), place_.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0) {
      (void)!::fchmod(file_.get(), old.st_mode & 0777U);
      return;
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    (void)!::fchmod(file_.get(), 0666U & ~mask);
  }

  fs::path path_;
  Place place_;
  OpenFile file_;
  std::string temporary_;
  int problem_ = 0;
};

Result<NewFile> open(const fs::path& path) {
  auto place = place_to_write(path, kNoSubject);
  if (!place) return fail(place.error());
  // A file that this user may not write is not replaced, although its folder would allow that.
  const bool refused = ::faccessat(place->folder.get(), place->name.c_str(), W_OK, AT_EACCESS) != 0;
  if (refused && errno != ENOENT) return cannot_write(path, kNoSubject, errno);
  return NewFile::beside(path, *std::move(place));
}

}  // namespace

Result<OpenFile> replace_file(const fs::path& path,
                              const std::function<Status(const WritePiece&)>& produce,
                              const AtomicWrite& how) {
  auto file = open(path);
  if (!file) return fail(file.error());
  if (Status made = produce([&](std::string_view piece) { file->write(piece); }); !made) {
    return fail(made.error());
  }
  return file->keep(how);
}

Status write_atomically(const fs::path& path,
                        const std::function<Status(const WritePiece&)>& produce,
                        const AtomicWrite& how) {
  if (const auto file = replace_file(path, produce, how); !file) return fail(file.error());
  return {};
}

void remove_if_same(const fs::path& path, const OpenFile& file) {
  const auto place = place_to_write(path, kNoSubject);
  struct stat ours {};
  struct stat named {};
  if (!place || ::fstat(file.get(), &ours) != 0) return;
  const int folder = place->folder.get();
  const char* name = place->name.c_str();
  if (::fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (ours.st_dev == named.st_dev && ours.st_ino == named.st_ino) ::unlinkat(folder, name, 0);
}

Status check_output(const fs::path& path, const std::vector<std::string>& inputs) {
  std::error_code ignored;
  for (const fs::path input : inputs) {
    const bool inside = fs::is_directory(input, ignored) && fs::exists(path, ignored) &&
                        fs::equivalent(fs::absolute(path).parent_path(), input, ignored);
    if (inside || fs::equivalent(path, input, ignored)) {
      return fail(ErrorCode::invalid_input, path.string(), "is what this command reads",
                  "write to another file");
    }
  }
  return check_writable(path);
}

Status check_writable(const fs::path& path) {
  const auto file = open(path);
  if (!file) return fail(file.error());
  return {};
}

}  // namespace memcoord::files
