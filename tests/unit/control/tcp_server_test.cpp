// The server on a TCP port, and hostile clients.

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "engine/control/http.h"
#include "engine/control/web_access.h"
#include "tests/raw_client.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::control;
using memcoord::testing::free_port;
using memcoord::testing::raw_clients;
using memcoord::testing::RawClient;

namespace {

/// Returns the request as text.
Response echo_over_tcp(const Request& request) {
  std::string text = request.method + " " + request.path + (request.peer ? " by a peer" : "");
  for (const auto& [name, value] : request.headers) text += " " + name + "=" + value;
  return {200, text + " " + request.body + ".", "text/plain"};
}

constexpr std::string_view kGetOverTcp = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// A server of one port.
struct ServedPort {
  explicit ServedPort(Handler handler = echo_over_tcp, HttpLimits limits = {})
      : server(HttpServer::listen(TcpAddress{.port = port}, std::move(handler), limits).value()) {}
  /// What the server sends until it closes the connection.
  [[nodiscard]] std::string exchange(std::string_view text) const {
    const RawClient client(port);
    static_cast<void>(client.send(text));
    return client.read();
  }
  [[nodiscard]] bool answers() const { return exchange(kGetOverTcp).starts_with("HTTP/1.1 200 "); }

  std::uint16_t port = free_port();
  std::unique_ptr<HttpServer> server;
};

}  // namespace

TEST_CASE("over TCP a request has no peer, and every method comes to the handler at once") {
  const ServedPort served;
  CHECK(contains(served.exchange("POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "Content-Length: 2\r\n\r\n{}"),
                 "\r\n\r\nPOST /a connection=close content-length=2 host=x {}."));
}

TEST_CASE("headers of one name are joined, so that none hides another") {
  const ServedPort served;
  CHECK(contains(served.exchange("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\n"
                                 "Connection: close\r\n\r\n"),
                 " x=1, 2 "));
  CHECK(contains(served.exchange("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nx: 2\r\n"
                                 "Connection: close\r\n\r\n"),
                 " x=, 2 "));
}

TEST_CASE("blanks at the end of a header are no part of it") {
  const ServedPort served;
  CHECK(contains(served.exchange("GET / HTTP/1.1\r\nHost: a \t \r\nX: 1 2 \r\n"
                                 "Connection: close\r\n\r\n"),
                 " host=a x=1 2 ."));
}

TEST_CASE("a request with several Host headers is refused") {
  const ServedPort served(restricted(echo_over_tcp, {.address = {"127.0.0.1", 9798}}));
  const auto status = [&](const std::string& hosts) {
    return served.exchange("GET /metrics HTTP/1.1\r\n" + hosts + "Connection: close\r\n\r\n")
        .substr(0, 13);
  };
  CHECK(status("Host: localhost:1\r\n") == "HTTP/1.1 200 ");
  CHECK(status("Host: localhost:1\r\nHost: evil.example\r\n") == "HTTP/1.1 400 ");
  CHECK(status("Host:\r\nHost: localhost\r\n") == "HTTP/1.1 400 ");
  CHECK(status("Host: localhost\r\nHost: localhost\r\n") == "HTTP/1.1 400 ");
}

TEST_CASE("a port has one server, and is free again after it") {
  auto served = std::make_unique<ServedPort>();
  const TcpAddress address{.port = served->port};
  const auto second = HttpServer::listen(address, echo_over_tcp);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::unavailable);
  CHECK(contains(second.error().text(), "another program uses this port; give another port"));
  CHECK(served->answers());
  served.reset();
  CHECK(HttpServer::listen(address, echo_over_tcp));
  const auto foreign = HttpServer::listen(TcpAddress{"192.0.2.7", address.port}, echo_over_tcp);
  REQUIRE_FALSE(foreign);
  CHECK(contains(foreign.error().text(), "this host does not have this address"));
}

TEST_CASE("HEAD has the headers of GET, and no body") {
  const ServedPort served;
  const std::string head =
      served.exchange("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(contains(head, "\r\nX-Content-Type-Options: nosniff\r\n"));
  CHECK(contains(head, "\r\nContent-Length: 32\r\n"));
  CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("a header with several lines is sent as several headers") {
  const ServedPort served([](const Request&) {
    return Response{401, "", "text/plain", {{"A", "1\n2"}}};
  });
  CHECK(contains(served.exchange(kGetOverTcp), "\r\nA: 1\r\nA: 2\r\n"));
}

TEST_CASE("compressed responses are sent to clients that accept them") {
  const ServedPort served([](const Request&) {
    return Response{200, std::string(100'000, 'x'), "text/plain"};
  });
  CHECK(served.exchange(kGetOverTcp).ends_with("xxxx"));
  const std::string compressed = served.exchange(
      "GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
  CHECK(contains(compressed, "\r\nContent-Encoding: gzip\r\n"));
  CHECK(compressed.size() < 2000);
}

TEST_CASE("a null character in a path or query is refused") {
  const ServedPort served;
  const auto status = [&](const std::string& target) {
    return served.exchange("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .substr(0, 13);
  };
  CHECK(status("/metrics?domains=off%2500") == "HTTP/1.1 200 ");
  for (const char* target :
       {"/metrics%00", "/%00/metrics", "/metrics?domains=off%00on", "/?%00=1"}) {
    CAPTURE(target);
    CHECK(status(target) == "HTTP/1.1 400 ");
  }
}

TEST_CASE("a request with two lengths of its body is refused, and its connection closed") {
  const ServedPort served;
  const std::string second = "GET /second HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const char* lengths : {"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}",
                              "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    for (const char* method : {"GET", "POST"}) {
      CAPTURE(lengths);
      CAPTURE(method);
      const std::string response =
          served.exchange(std::string(method) + " / HTTP/1.1\r\nHost: x\r\n" + lengths + second);
      CHECK(response.starts_with("HTTP/1.1 400 "));
      CHECK_FALSE(contains(response, "/second"));
    }
  }
  CHECK(served.answers());
}

TEST_CASE("malformed and endless requests are refused") {
  const ServedPort served(echo_over_tcp, {.time = std::chrono::milliseconds(300)});
  // The handler decides about a request without a Host.
  CHECK(contains(served.exchange("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), " 200 OK"));
  const std::string endless(1 << 20, 'x');
  const std::vector<std::string> malformed{
      "\r\n\r\n\r\n",
      "GET\r\n\r\n",
      std::string(100, '\0'),
      "GET /" + endless,
      "GET / HTTP/1.1\r\nX: " + endless,
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nhalf"};
  for (const std::string& text : malformed) {
    CAPTURE(text.substr(0, 40));
    CHECK_FALSE(contains(served.exchange(text), " 200 OK"));
    CHECK(served.answers());
  }
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 100'000; ++i) many += "X" + std::to_string(i) + ": 1\r\n";
  CHECK_FALSE(contains(served.exchange(many + "\r\n"), " 200 OK"));
  CHECK_FALSE(
      contains(served.exchange("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n" +
                               std::string(10 << 20, 'x')),
               " 200 OK"));
  CHECK(served.answers());
}

TEST_CASE("a thousand connections over TCP keep no other from its response") {
  for (const std::string_view text :
       {std::string_view(), std::string_view("GET /v1/sta"), kGetOverTcp}) {
    CAPTURE(text);
    const ServedPort served;
    const auto clients = raw_clients(1000, text, served.port);
    CHECK(served.answers());
  }
}

TEST_CASE("an address with many connections does not close those of another") {
  const ServedPort served(echo_over_tcp, {.time = std::chrono::minutes(1)});
  const RawClient early(served.port);
  CHECK(early.send("GET / HTTP/1.1\r\n"));
  CHECK(served.answers());
  const auto flood = raw_clients(300, "GET /v1/sta", served.port, "127.0.0.2");
  CHECK(early.send("Host: x\r\nConnection: close\r\n\r\n"));
  CHECK(early.read().starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a header that comes byte by byte over TCP is closed in its time") {
  const ServedPort served(echo_over_tcp, {.time = std::chrono::milliseconds(100)});
  const RawClient client(served.port);
  int sent = 0;
  while (sent < 10'000 && client.send("x")) {
    ++sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(sent < 10'000);
  CHECK(served.answers());
}

TEST_CASE("a client that ends its sending direction gets the responses to what it sent") {
  const ServedPort served;
  const RawClient client(served.port);
  std::string text;
  for (int i = 0; i < 20; ++i) {
    text += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  CHECK(client.send(text));
  CHECK(contains(client.read("GET /19 "), "GET /19 "));
  client.end_sending();
  CHECK(client.is_closed());
  CHECK(served.answers());
}
