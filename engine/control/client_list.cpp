#include "engine/control/client_list.h"

#include <algorithm>
#include <map>
#include <string>

namespace memcoord::control {

Client& ClientList::add(const Client& client) {
  clients_.push_back(client);
  Client& added = clients_.back();
  enforce(
      bounds_.clients, [](const Client&) { return std::size_t{1}; }, added);
  return added;
}

void ClientList::remove(const Client& client) {
  clients_.remove_if([&](const Client& one) { return &one == &client; });
}

void ClientList::add_response(Client& client, std::size_t size) {
  client.unread = size;
  enforce(
      bounds_.unread, [](const Client& one) { return one.unread; }, client);
}

void ClientList::close_late(Client::Time now) {
  for (Client& client : clients_) {
    if (!client.closing && !client.waits && client.deadline <= now) close(client);
  }
}

std::optional<Client::Time> ClientList::next_deadline() const {
  std::optional<Client::Time> next;
  for (const Client& client : clients_) {
    if (client.closing || client.waits) continue;
    next = std::min(next.value_or(client.deadline), client.deadline);
  }
  return next;
}

void ClientList::enforce(std::size_t most, Weight weight, const Client& spared) {
  std::map<std::string, std::size_t> by_owner;
  std::size_t all = 0;
  for (const Client& client : clients_) {
    if (client.closing) continue;
    by_owner[client.owner] += weight(client);
    all += weight(client);
  }
  while (all > most) {
    Client* chosen = nullptr;
    const auto comes_before = [&](const Client& one, const Client& other) {
      if (by_owner[one.owner] != by_owner[other.owner]) {
        return by_owner[one.owner] > by_owner[other.owner];
      }
      return one.deadline < other.deadline;
    };
    for (Client& client : clients_) {
      if (client.closing || client.waits || &client == &spared || weight(client) == 0) continue;
      if (chosen == nullptr || comes_before(client, *chosen)) chosen = &client;
    }
    if (chosen == nullptr) return;
    by_owner[chosen->owner] -= weight(*chosen);
    all -= weight(*chosen);
    close(*chosen);
  }
}

void ClientList::close(Client& client) {
  client.closing = true;
  close_(client);
}

}  // namespace memcoord::control
