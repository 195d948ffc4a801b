#pragma once
// Connections to a Unix socket that do as a test says, for servers that must stand any client.

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace memcoord::testing {

class RawClient {
 public:
  /// Throws std::runtime_error if it cannot connect.
  explicit RawClient(const std::string& path)
      : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const auto* target = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(descriptor_, target, sizeof address) != 0) {
      const std::string why = std::strerror(errno);
      ::close(descriptor_);
      throw std::runtime_error(path + ": " + why);
    }
  }
  ~RawClient() { ::close(descriptor_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// Returns false if the server has closed the connection, or does not read on for a minute.
  bool send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent =
          ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent < 0 && !wait_for(POLLOUT)) return false;
      if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// What the server sends until it closes the connection, until the text has come, or until a
  /// minute has passed without a byte.
  std::string read(std::string_view until = "\n no such text") const {
    std::string text;
    std::vector<char> block(65536);
    while (text.find(until) == std::string::npos && wait_for(POLLIN)) {
      const ssize_t got = ::recv(descriptor_, block.data(), block.size(), 0);
      if (got <= 0) break;
      text.append(block.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  /// Whether the server closes the connection within a minute. Drops what it sends before.
  [[nodiscard]] bool is_closed() const {
    std::vector<char> block(65536);
    while (wait_for(POLLIN)) {
      if (::recv(descriptor_, block.data(), block.size(), 0) <= 0) return true;
    }
    return false;
  }

 private:
  bool wait_for(short events) const {
    pollfd watched{descriptor_, events, 0};
    return ::poll(&watched, 1, 60'000) > 0;
  }

  int descriptor_;
};

/// So many connections that each have sent the same text.
inline std::vector<std::unique_ptr<RawClient>> raw_clients(int count, const std::string& path,
                                                           std::string_view text) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(path));
    // The server may have closed it already.
    [[maybe_unused]] const bool sent = clients.back()->send(text);
  }
  return clients;
}

}  // namespace memcoord::testing
