#pragma once
// Who is at the other end of a connection.

#include <optional>
#include <string>

#include "engine/control/http.h"

namespace memcoord::control {

/// The process at the other end of a Unix socket; none for another socket.
std::optional<Peer> peer_of(int descriptor);

/// The key by which connections are limited: the user of a Unix socket's peer; the IPv4 address;
/// the IPv6 network of 64 bits, because one host may use all addresses in it.
std::string owner_of(int descriptor);

/// A peer for people: "root (process 4711)".
std::string name_of(const std::optional<Peer>& peer);

}  // namespace memcoord::control
