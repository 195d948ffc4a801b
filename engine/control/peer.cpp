#include "engine/control/peer.h"

#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace memcoord::control {
namespace {

std::string owner_of_ipv6(const in6_addr& address) {
  constexpr std::size_t kNetwork = 8;
  constexpr std::size_t kMapped = 12;  // bytes before an IPv4 address
  std::string bytes(sizeof address, '\0');
  std::memcpy(bytes.data(), &address, sizeof address);
  return IN6_IS_ADDR_V4MAPPED(&address) ? bytes.substr(kMapped) : bytes.substr(0, kNetwork);
}

/// The kernel's name for users that the process's user namespace does not have.
constexpr uid_t kOverflowUser = 65534;

}  // namespace

std::optional<Peer> peer_of(int descriptor) {
  int domain = 0;
  socklen_t size = sizeof domain;
  // The kernel returns credentials for TCP sockets too, but they name no process.
  if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) {
    return std::nullopt;
  }
  ucred credentials{};
  size = sizeof credentials;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return std::nullopt;
  }
  return Peer{credentials.uid, credentials.pid};
}

std::string owner_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (const auto peer = peer_of(descriptor)) return "user " + std::to_string(peer->user);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 source{};
    std::memcpy(&source, &address, sizeof source);
    return owner_of_ipv6(source.sin6_addr);
  }
  sockaddr_in source{};
  std::memcpy(&source, &address, sizeof source);
  std::string bytes(sizeof source.sin_addr, '\0');
  std::memcpy(bytes.data(), &source.sin_addr, bytes.size());
  return address.ss_family == AF_INET ? bytes : std::string();
}

std::string name_of(const std::optional<Peer>& peer) {
  if (!peer) return "an unknown user";
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> space{};
  ::getpwuid_r(peer->user, &entry, space.data(), space.size(), &found);
  const std::string user = peer->user == kOverflowUser ? "an unknown user"
                           : found != nullptr          ? std::string(entry.pw_name)
                                                       : "user " + std::to_string(peer->user);
  return user + " (process " + std::to_string(peer->process) + ")";
}

}  // namespace memcoord::control
