#include "engine/control/tcp_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "engine/core/printable.h"

namespace memcoord::control {
namespace {

constexpr const char* kForms =
    "give a port (9798: this host only), or an IP address and a port (192.0.2.7:9798, "
    "[2001:db8::7]:9798)";

tl::unexpected<Error> no_address(std::string_view text, const std::string& why,
                                 const std::string& hint = kForms) {
  return fail(ErrorCode::invalid_input, "", "'" + printable(text, 60) + "' " + why, hint);
}

/// The error for "http://127.0.0.1:9798/". The hint has its address, if it has one.
tl::unexpected<Error> no_url(std::string_view text) {
  constexpr std::string_view kSchemeEnd = "://";
  const std::size_t scheme = text.find(kSchemeEnd);
  const bool has_scheme = scheme != std::string_view::npos;
  const std::string_view rest = has_scheme ? text.substr(scheme + kSchemeEnd.size()) : text;
  std::string hint = "give it without http:// and path";
  const auto address = parse_tcp_address(rest.substr(0, rest.find('/')));
  if (address) hint += ": " + address->text();
  return no_address(text, has_scheme ? "is a URL" : "has a path", hint);
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return '0' <= c && c <= '9'; });
}

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  if (!is_digits(text) || text.front() == '0') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

TcpAddress::Reach TcpAddress::reach() const {
  if (ip == "0.0.0.0" || ip == "::") return Reach::every_address;
  return ip.starts_with("127.") || ip == "::1" ? Reach::loopback : Reach::one_address;
}

std::string TcpAddress::text() const {
  return (is_ipv6() ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

std::string usual_ip(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> usual{};
  const int family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (::inet_pton(family, text.c_str(), bytes.data()) != 1) return {};
  return ::inet_ntop(family, bytes.data(), usual.data(), usual.size());
}

Result<TcpAddress> parse_tcp_address(std::string_view text) {
  if (text.empty()) return fail(ErrorCode::invalid_input, "", "the address is empty", kForms);
  if (text.find('/') != std::string_view::npos) return no_url(text);
  const std::size_t colon = text.rfind(':');
  const bool has_host = colon != std::string_view::npos;
  const std::string_view port_text = has_host ? text.substr(colon + 1) : text;
  std::string host(has_host ? text.substr(0, colon) : "localhost");
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if ((!has_host && !is_digits(text)) || text.ends_with(']')) {
    return no_address(text, "has no port");
  }
  if (!brackets && host.find(':') != std::string::npos) {
    return no_address(text, "has an IPv6 address without brackets");
  }
  const auto port = port_in(port_text);
  if (!port) return no_address(text, "has no port from 1 to 65535");
  if (brackets) host = host.substr(1, host.size() - 2);
  if (host == "localhost") return TcpAddress{.port = *port};
  const std::string ip = usual_ip(host);
  const bool is_ipv6 = ip.find(':') != std::string::npos;
  if (!ip.empty() && is_ipv6 == brackets) return TcpAddress{ip, *port};
  if (host == "*" || host.empty()) {
    return no_address(text, "names no address",
                      "for every address of this host, give 0.0.0.0:" + std::to_string(*port) +
                          " or [::]:" + std::to_string(*port));
  }
  return no_address(text, "has no IP address", std::string("names are not looked up; ") + kForms);
}

Result<std::string> parse_host_name(std::string_view text) {
  constexpr std::size_t kLongestName = 253;
  std::string name(text);
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  }
  if (std::string ip = usual_ip(name); !ip.empty()) return ip;
  const auto fits = [](char c) {
    return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  for (char& c : name) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (name.ends_with('.')) name.pop_back();
  const bool empty_label = name.empty() || name.front() == '.' || name.ends_with('.') ||
                           name.find("..") != std::string::npos;
  if (empty_label || name.size() > kLongestName || !std::all_of(name.begin(), name.end(), fits)) {
    return no_address(text, "is not the name of a host",
                      "give a name without scheme and port: metrics.example.com");
  }
  return name;
}

socklen_t write_socket_address(const TcpAddress& address, sockaddr_storage& storage) {
  storage = {};
  if (address.is_ipv6()) {
    sockaddr_in6 target{};
    target.sin6_family = AF_INET6;
    target.sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.ip.c_str(), &target.sin6_addr);
    std::memcpy(&storage, &target, sizeof target);
    return sizeof target;
  }
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(address.port);
  ::inet_pton(AF_INET, address.ip.c_str(), &target.sin_addr);
  std::memcpy(&storage, &target, sizeof target);
  return sizeof target;
}

}  // namespace memcoord::control
