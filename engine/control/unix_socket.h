#pragma once
// The Unix socket that the control server listens on.

#include <sys/types.h>

#include <filesystem>

#include "engine/core/error.h"
#include "engine/files/open_file.h"

namespace memcoord::control {

/// A listening socket and the file that names it. The destructor removes the file, unless another
/// process has replaced it.
class UnixSocket {
 public:
  /// Creates the socket with mode 0660 and, if possible, group libvirt. Replaces a socket that no
  /// process serves. Errors: those of HttpServer::listen().
  static Result<UnixSocket> listen(const std::filesystem::path& path);
  UnixSocket(UnixSocket&&) = default;
  UnixSocket& operator=(UnixSocket&&) = delete;
  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;
  ~UnixSocket();

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  /// Gives up the descriptor, which the caller then owns. The file stays this object's.
  int release() { return socket_.release(); }

 private:
  UnixSocket(std::filesystem::path path, files::OpenFile socket);

  std::filesystem::path path_;  ///< empty once moved from
  files::OpenFile socket_;
  dev_t device_ = 0;  ///< of the file
  ino_t inode_ = 0;
};

}  // namespace memcoord::control
