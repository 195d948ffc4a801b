#include "engine/control/client_list.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace memcoord::control;

namespace {

Client::Time second(int number) {
  return Client::Time(std::chrono::seconds(number));
}

/// A list whose closed clients are recorded by their descriptors.
struct RecordedList {
  std::vector<int> closed;
  ClientList clients{{.clients = 3, .unread = 100},
                     [this](const Client& client) { closed.push_back(client.descriptor); }};
  Client& add(int descriptor, const std::string& owner, int deadline = 0) {
    return clients.add({.descriptor = descriptor, .owner = owner, .deadline = second(deadline)});
  }
};

}  // namespace

TEST_CASE("a connection too many closes the oldest of the owner who has the most") {
  RecordedList list;
  list.add(1, "100", 1);
  list.add(2, "200", 3);
  list.add(3, "200", 2);
  CHECK(list.closed.empty());
  list.add(4, "300", 4);
  CHECK(list.closed == std::vector{3});
  // With one each, the oldest goes, and never the newest.
  list.add(5, "400", 0);
  CHECK(list.closed == std::vector{3, 1});
}

TEST_CASE("unread bytes too many close a reader of the owner who has the most of them") {
  RecordedList list;
  Client& small = list.add(1, "100", 1);
  Client& large = list.add(2, "200", 2);
  Client& third = list.add(3, "100", 3);
  list.clients.add_response(small, 10);
  list.clients.add_response(large, 60);
  CHECK(list.closed.empty());
  list.clients.add_response(third, 40);
  CHECK(list.closed == std::vector{2});
  // A single response may be larger than all together should be.
  list.clients.add_response(third, 1000);
  CHECK(list.closed == std::vector{2, 1});
}

TEST_CASE("a client that is late is closed once, and one whose change is made never") {
  RecordedList list;
  list.add(1, "100", 5);
  list.add(2, "100", 1).waits = true;
  CHECK(list.clients.next_deadline() == second(5));
  list.clients.close_late(second(4));
  CHECK(list.closed.empty());
  list.clients.close_late(second(5));
  list.clients.close_late(second(6));
  CHECK(list.closed == std::vector{1});
  CHECK_FALSE(list.clients.next_deadline());
}

TEST_CASE("a removed client makes room") {
  RecordedList list;
  list.add(1, "100");
  list.add(2, "100");
  list.clients.remove(list.add(3, "100"));
  list.add(4, "100");
  CHECK(list.closed.empty());
}
