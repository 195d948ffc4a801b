#include "engine/files/open_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <string_view>
#include <system_error>

namespace memcoord::files {
namespace {

namespace fs = std::filesystem;

/// The kernel's own limit.
constexpr int kMaxLinks = 40;
constexpr std::size_t kBlock = 65536;  ///< bytes that LineReader reads at a time

std::string reason(int number) {
  return std::generic_category().message(number);
}

std::string refusal(const std::string& what) {
  return (what.empty() ? what : what + " ") + "cannot be written";
}

/// What a path names, if that is no regular file; otherwise empty.
std::string_view odd_kind(mode_t mode) {
  if (S_ISREG(mode)) return "";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

tl::unexpected<Error> cannot_read(const fs::path& path, int number) {
  const bool refused = number == EACCES || number == EPERM;
  return fail(refused ? ErrorCode::permission_denied : ErrorCode::invalid_input, path.string(),
              "cannot be read: " + reason(number));
}

tl::unexpected<Error> not_regular(const fs::path& path, std::string_view kind,
                                  const std::string& wanted) {
  return fail(ErrorCode::invalid_input, path.string(), "is " + std::string(kind), "name " + wanted);
}

std::deque<std::string> names_in(const fs::path& path) {
  std::deque<std::string> names;
  for (const fs::path& one : path.relative_path()) names.push_back(one.string());
  return names;
}

/// Resolves a path name by name, and checks each name before it follows it.
class Walk {
 public:
  Walk(const fs::path& path, const std::string& what)
      : path_(path), what_(what), names_(names_in(path)) {}

  Result<Place> go() {
    if (Status started = start_at(path_.is_absolute() ? "/" : "."); !started) {
      return fail(started.error());
    }
    while (!names_.empty()) {
      const std::string name = std::move(names_.front());
      names_.pop_front();
      if (name.empty() || name == ".") continue;
      struct stat found {};
      const bool there = ::fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
      if (there && S_ISLNK(found.st_mode)) {
        if (Status followed = follow(name, found.st_uid); !followed) return fail(followed.error());
        continue;
      }
      if (names_.empty() && name != "..") {
        if (!there && errno != ENOENT) return cannot_write(path_, what_, errno);
        return Place{std::move(folder_), name};
      }
      OpenFile next(
          ::openat(folder_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next) return cannot_write(path_, what_, errno);
      folder_ = std::move(next);
    }
    return not_regular(path_, "a folder", "a file");
  }

 private:
  Status start_at(const char* folder) {
    folder_ = OpenFile(::open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder_) return cannot_write(path_, what_, errno);
    return {};
  }

  Status follow(const std::string& name, uid_t owner) {
    if (owner != 0 && owner != ::geteuid()) {
      return fail(ErrorCode::permission_denied, path_.string(),
                  refusal(what_) + ": the symbolic link '" + name +
                      "' on the way belongs to user " + std::to_string(owner),
                  "name the file itself");
    }
    std::array<char, PATH_MAX> target{};
    const ssize_t size =
        ::readlinkat(folder_.get(), name.c_str(), target.data(), target.size() - 1);
    if (size <= 0) return cannot_write(path_, what_, size < 0 ? errno : ENOENT);
    if (++links_ > kMaxLinks) return cannot_write(path_, what_, ELOOP);
    const fs::path next(std::string(target.data(), static_cast<std::size_t>(size)));
    std::deque<std::string> names = names_in(next);
    names_.insert(names_.begin(), names.begin(), names.end());
    return next.is_absolute() ? start_at("/") : Status();
  }

  const fs::path& path_;
  const std::string& what_;
  std::deque<std::string> names_;
  OpenFile folder_;
  int links_ = 0;
};

/// An unnamed pipe: its writer had it open from the start, so that reading cannot wait for one that
/// never comes.
bool is_open_pipe(int file, mode_t mode) {
  struct statfs system {};
  return S_ISFIFO(mode) && ::fstatfs(file, &system) == 0 && system.f_type == PIPEFS_MAGIC;
}

}  // namespace

OpenFile::~OpenFile() {
  close();
}

int OpenFile::close() {
  const int descriptor = std::exchange(descriptor_, -1);
  return descriptor >= 0 && ::close(descriptor) != 0 ? errno : 0;
}

tl::unexpected<Error> cannot_write(const fs::path& path, const std::string& what, int number) {
  const bool refused = number == EACCES || number == EPERM || number == EROFS;
  const bool no_descriptor = number == EMFILE || number == ENFILE;
  const auto code = refused            ? ErrorCode::permission_denied
                    : no_descriptor    ? ErrorCode::unavailable
                    : number == ENOENT ? ErrorCode::not_found
                                       : ErrorCode::invalid_input;
  const char* hint = number == ENOENT   ? "its folder must exist"
                     : no_descriptor    ? "raise the limit of open files (ulimit -n)"
                     : number == ENOSPC ? "free some space, or name a file on another disk"
                                        : "name a file that you may write";
  return fail(code, path.string(), refusal(what) + ": " + reason(number), hint);
}

Result<Place> place_to_write(const fs::path& path, const std::string& what) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) {
    return not_regular(path, odd_kind(found.st_mode), "a regular file");
  }
  return Walk(path, what).go();
}

bool same_place(const fs::path& one, const fs::path& other) {
  const auto first = place_to_write(one, "");
  const auto second = place_to_write(other, "");
  struct stat a {};
  struct stat b {};
  return first && second && first->name == second->name && ::fstat(first->folder.get(), &a) == 0 &&
         ::fstat(second->folder.get(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Result<OpenFile> open_to_append(const fs::path& path, const std::string& what) {
  const auto place = place_to_write(path, what);
  if (!place) return fail(place.error());
  OpenFile file(::openat(place->folder.get(), place->name.c_str(),
                         O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!file) return cannot_write(path, what, errno);
  // The name may have come to mean something else since it was checked.
  struct stat opened {};
  if (::fstat(file.get(), &opened) != 0) return cannot_write(path, what, errno);
  if (!S_ISREG(opened.st_mode)) {
    return not_regular(path, odd_kind(opened.st_mode), "a regular file");
  }
  return file;
}

Result<OpenFile> open_to_read(const fs::path& path, const std::string& kind) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    const int number = errno;
    if (number != EACCES && number != ELOOP) {
      return fail(ErrorCode::not_found, path.string(), "no such " + kind);
    }
    return cannot_read(path, number);
  }
  if (S_ISDIR(found.st_mode)) return not_regular(path, "a folder", "a " + kind);
  if (!S_ISREG(found.st_mode) && !S_ISFIFO(found.st_mode)) {
    return not_regular(path, odd_kind(found.st_mode), "a regular file");
  }
  OpenFile file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) {
    return cannot_read(path, errno);
  }
  if (::fstat(file.get(), &found) != 0 ||
      (!S_ISREG(found.st_mode) && !is_open_pipe(file.get(), found.st_mode))) {
    return not_regular(path, odd_kind(found.st_mode), "a regular file");
  }
  ::fcntl(file.get(), F_SETFL, 0);
  return file;
}

Result<OpenFile> open_public(const fs::path& path, const std::string& kind) {
  const auto not_public = [&] {
    return fail(ErrorCode::permission_denied, path.string(), "is not readable by every user",
                "copy it to a folder that every user may read, or ask as root");
  };
  std::error_code error;
  const fs::path real = fs::weakly_canonical(fs::absolute(path), error);
  if (error) return not_public();
  OpenFile here(::open("/", O_PATH | O_CLOEXEC));
  for (const std::string& name : names_in(real)) {
    struct stat folder {};
    if (::fstat(here.get(), &folder) != 0 || !S_ISDIR(folder.st_mode)) return not_public();
    if ((folder.st_mode & S_IXOTH) == 0) return not_public();
    OpenFile next(::openat(here.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next && errno == ENOENT) {
      return fail(ErrorCode::not_found, path.string(), "no such " + kind);
    }
    if (!next) return not_public();
    here = std::move(next);
  }
  struct stat found {};
  struct statfs system {};
  if (::fstat(here.get(), &found) != 0 || ::fstatfs(here.get(), &system) != 0) return not_public();
  if (!S_ISREG(found.st_mode)) {
    return not_regular(path, S_ISLNK(found.st_mode) ? "a link" : odd_kind(found.st_mode),
                       "a regular file");
  }
  // The files of a process have modes that do not say who may read them.
  if ((found.st_mode & S_IROTH) == 0 || system.f_type == PROC_SUPER_MAGIC) return not_public();
  return open_to_read("/proc/self/fd/" + std::to_string(here.get()), kind);
}

Result<std::string> read_up_to(std::size_t most, const fs::path& path, const std::string& kind) {
  const auto file = open_to_read(path, kind);
  if (!file) return fail(file.error());
  std::string text(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const ssize_t got = ::read(file->get(), text.data() + size, most - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

Result<LineReader> LineReader::open(const std::filesystem::path& path, const std::string& kind) {
  auto file = open_to_read(path, kind);
  if (!file) return fail(file.error());
  return LineReader(*std::move(file), path.string());
}

std::string LineReader::place() const {
  return path_ + ":" + std::to_string(std::max<std::size_t>(number_, 1));
}

Result<bool> LineReader::next() {
  text_.clear();
  ++number_;
  for (;;) {
    const std::size_t end = block_.find('\n', at_);
    const std::size_t piece = std::min(end, block_.size()) - at_;
    if (text_.size() + piece > kLongestLine) {
      return fail(ErrorCode::invalid_input, place(), "a line longer than 16 MiB",
                  "is it a text file?");
    }
    text_.append(block_, at_, piece);
    at_ += piece;
    if (end != std::string::npos) {
      ++at_;
      return true;
    }
    block_.resize(kBlock);
    const ssize_t got = ::read(file_.get(), block_.data(), block_.size());
    const int number = errno;
    block_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    at_ = 0;
    if (got < 0 && number == EINTR) continue;
    if (got < 0) {
      return fail(ErrorCode::invalid_input, place(),
                  "cannot be read: " + std::generic_category().message(number));
    }
    if (got == 0) {
      open_ended_ = !text_.empty();
      if (!open_ended_) --number_;
      return open_ended_;
    }
  }
}

}  // namespace memcoord::files
