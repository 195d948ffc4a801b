#include "engine/control/unix_socket.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace memcoord::control {
namespace {

namespace fs = std::filesystem;

Error socket_error(const fs::path& path, int code, const std::string& what) {
  const bool refused = code == EACCES || code == EPERM || code == EROFS;
  return {refused ? ErrorCode::permission_denied : ErrorCode::invalid_input,
          path.string(),
          what + ": " + std::strerror(code),
          "give another path with --control PATH, or --control off for no socket",
          {}};
}

Result<sockaddr_un> address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::invalid_input, text, "is too long for a socket's path",
                "use at most " + std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(static_cast<char*>(address.sun_path), text.c_str(), text.size() + 1);
  return address;
}

/// Removes the socket of a process that has ended.
Status remove_stale_socket(const fs::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(ErrorCode::invalid_input, path.string(), "exists and is not a socket",
                "give another path with --control PATH");
  }
  const files::OpenFile probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  const bool served = ::connect(probe.get(), target, sizeof address) == 0 || errno == EAGAIN;
  if (served) {
    return fail(ErrorCode::unavailable, path.string(), "another memcoord serves this socket",
                "stop it, or give another path with --control PATH");
  }
  if (errno != ECONNREFUSED) return fail(socket_error(path, errno, "cannot be checked"));
  if (::unlink(path.c_str()) != 0) return fail(socket_error(path, errno, "cannot be replaced"));
  return {};
}

/// The group whose members may manage guests.
void give_to_libvirt_group(const fs::path& path) {
  group entry{};
  group* found = nullptr;
  std::array<char, 4096> space{};
  if (::getgrnam_r("libvirt", &entry, space.data(), space.size(), &found) != 0 || !found) return;
  // If that is not allowed, the socket keeps the group of the process.
  [[maybe_unused]] const int given = ::lchown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid);
}

}  // namespace

UnixSocket::UnixSocket(fs::path path, files::OpenFile socket)
    : path_(std::move(path)), socket_(std::move(socket)) {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

UnixSocket::~UnixSocket() {
  struct stat status {};
  if (path_.empty() || ::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

Result<UnixSocket> UnixSocket::listen(const fs::path& path) {
  const auto address = address_of(path);
  if (!address) return fail(address.error());
  if (Status clear = remove_stale_socket(path, *address); !clear) return fail(clear.error());
  files::OpenFile socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return fail(socket_error(path, errno, "cannot be created"));
  // bind() creates the socket with this mode, less the umask: it never has a laxer one than 0660.
  ::fchmod(socket.get(), 0660);
  const auto* target = reinterpret_cast<const sockaddr*>(&*address);
  if (::bind(socket.get(), target, sizeof *address) != 0) {
    return fail(socket_error(path, errno, "cannot be created"));
  }
  UnixSocket made(path, std::move(socket));
  give_to_libvirt_group(path);
  // The umask may have taken rights of the group. A failure leaves the socket with fewer rights.
  [[maybe_unused]] const int widened =
      ::fchmodat(AT_FDCWD, path.c_str(), 0660, AT_SYMLINK_NOFOLLOW);
  if (::listen(made.descriptor(), SOMAXCONN) != 0) {
    return fail(socket_error(path, errno, "cannot be served"));
  }
  return made;
}

}  // namespace memcoord::control
