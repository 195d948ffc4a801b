#pragma once
// The address that the metrics server listens on, as its option names it.

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord::control {

/// An IP address and a port.
struct TcpAddress {
  /// What connections reach the address: those of this host only, of the networks of one address,
  /// or of every network.
  enum class Reach { loopback, one_address, every_address };
  std::string ip = "127.0.0.1";  ///< in its usual form, IPv6 without brackets
  std::uint16_t port = 0;        ///< never 0 in a parsed address

  [[nodiscard]] bool is_ipv6() const { return ip.find(':') != std::string::npos; }
  [[nodiscard]] Reach reach() const;
  /// "127.0.0.1:9798", "[::1]:9798"
  [[nodiscard]] std::string text() const;
  bool operator==(const TcpAddress&) const = default;
};

/// The address in a text: PORT and localhost:PORT (both mean 127.0.0.1), IP:PORT or [IP6]:PORT.
/// Errors, without an object: invalid_input (a name, "*", a URL, a port that is none, and anything
/// else).
Result<TcpAddress> parse_tcp_address(std::string_view text);

/// A name or address of this host, as requests have it in their Host header: in lower case, an IPv6
/// address without brackets. Errors, without an object: invalid_input (a port, a URL, a character
/// that no host name has).
Result<std::string> parse_host_name(std::string_view text);

/// The address of this form, of IPv4 or IPv6, in its usual form ("::1" for "0:0::1"); empty if the
/// text is no address.
std::string usual_ip(const std::string& text);

/// The address as the kernel takes it. Returns its size.
socklen_t write_socket_address(const TcpAddress& address, sockaddr_storage& storage);

}  // namespace memcoord::control
