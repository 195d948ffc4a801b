#pragma once
// Connections to a Unix socket or a TCP port that do as a test says, for servers that must stand
// any client.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
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
    connect_to(address, path);
  }
  /// Connects to 127.0.0.1, from an address of this host such as 127.0.0.2.
  explicit RawClient(std::uint16_t port, const char* source = "127.0.0.1")
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    ::inet_pton(AF_INET, source, &from.sin_addr);
    ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&from), sizeof from);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_to(address, std::to_string(port));
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

  /// Ends the sending direction, as a client that says no more but still reads.
  void end_sending() const { ::shutdown(descriptor_, SHUT_WR); }

 private:
  template <class Address>
  void connect_to(const Address& address, const std::string& name) {
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return;
    }
    const std::string why = std::strerror(errno);
    ::close(descriptor_);
    throw std::runtime_error(name + ": " + why);
  }
  bool wait_for(short events) const {
    pollfd watched{descriptor_, events, 0};
    return ::poll(&watched, 1, 60'000) > 0;
  }

  int descriptor_;
};

/// So many connections that each have sent the same text, to a path or a port.
template <class... Where>
std::vector<std::unique_ptr<RawClient>> raw_clients(int count, std::string_view text,
                                                    const Where&... where) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(where...));
    // The server may have closed it already.
    [[maybe_unused]] const bool sent = clients.back()->send(text);
  }
  return clients;
}

/// A TCP port of 127.0.0.1 that no program serves. The kernel gives no such port to a client by
/// itself.
inline std::uint16_t free_port() {
  constexpr std::uint16_t kFirst = 20000;
  constexpr std::uint16_t kCount = 12000;
  static std::uint32_t next = static_cast<std::uint32_t>(::getpid()) * 37U;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(kFirst + next++ % kCount);
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_free =
        ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (is_free) return port;
  }
}

}  // namespace memcoord::testing
