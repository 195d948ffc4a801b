#pragma once
// The open connections of the control server, and which of them the server closes.

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>

namespace memcoord::control {

/// One connection.
struct Client {
  using Time = std::chrono::steady_clock::time_point;
  int descriptor = -1;
  std::string owner;       ///< the key that owner_of() returns
  Time deadline{};         ///< when its request or the reading of the response is late
  std::size_t unread = 0;  ///< bytes of a response that the client has not read yet
  bool waits = false;      ///< for a change that memcoord makes: never closed
  bool closing = false;    ///< was chosen already
};

/// Chooses the connections to close: those that are late, and the oldest of the owner with the most
/// connections, or the most unread bytes, while there are too many. So owners with few connections
/// are served whatever others do, and a new connection wins over an old one that does nothing.
class ClientList {
 public:
  struct Bounds {
    std::size_t clients;
    std::size_t unread;  ///< bytes
  };
  /// Closes a connection that was chosen.
  using Close = std::function<void(const Client&)>;
  ClientList(Bounds bounds, Close close) : bounds_(bounds), close_(std::move(close)) {}

  /// The client stays at its address until it is removed.
  Client& add(const Client& client);
  void remove(const Client& client);
  /// A client got a response of this size, which it has not read yet.
  void add_response(Client& client, std::size_t size);
  void close_late(Client::Time now);
  /// The earliest deadline; none without a client that has one.
  [[nodiscard]] std::optional<Client::Time> next_deadline() const;

 private:
  using Weight = std::size_t (*)(const Client&);
  /// Closes clients until their weight in all is at most `most`. Spares one.
  void enforce(std::size_t most, Weight weight, const Client& spared);
  void close(Client& client);

  Bounds bounds_;
  Close close_;
  std::list<Client> clients_;
};

}  // namespace memcoord::control
