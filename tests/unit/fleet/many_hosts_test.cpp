// send_requests() and ask_fleet() with real servers: 200 of them in this process.

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/control/http.h"
#include "engine/fleet/fleet_status.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/raw_client.h"
#include "tests/unit/fleet/fleet_metrics.h"

using namespace memcoord;
using namespace memcoord::fleet;
using control::HttpServer;
using control::Request;
using control::Response;
using memcoord::testing::free_port;
using memcoord::testing::metrics_of_a_host;
using memcoord::testing::ScratchFiles;

namespace {

std::vector<HostStatus> ask_all(const std::vector<FleetHost>& hosts,
                                std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
  return ask_fleet(hosts, {timeout, {}}, control::send_requests,
                   [] { return WallTime(std::chrono::seconds(1001)); });
}

/// A listener that accepts no connection: the kernel answers for it, and it says nothing.
class SilentServer {
 public:
  explicit SilentServer(const std::string& path)
      : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(descriptor_, 5) == 0);
  }
  ~SilentServer() { ::close(descriptor_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

 private:
  int descriptor_;
};

}  // namespace

TEST_CASE("200 hosts answer at once, each with its own figures") {
  constexpr std::size_t kHosts = 200;
  const ScratchFiles files;
  std::vector<std::unique_ptr<HttpServer>> servers;
  std::vector<FleetHost> hosts;
  for (std::size_t i = 0; i < kHosts; ++i) {
    const std::string name = "kvm" + std::to_string(i);
    const std::string path = files.path(name + ".sock");
    const std::string metrics =
        metrics_of_a_host() + "memcoord_domains{state=\"hung\"} " + std::to_string(i) + "\n";
    servers.push_back(
        HttpServer::listen(std::filesystem::path(path), [metrics](const Request& request) {
          return Response{request.path == "/metrics" ? 200 : 404, metrics};
        }).value());
    hosts.push_back({name, {path, {}, {}}, {}, name});
  }
  const auto statuses = ask_all(hosts);
  REQUIRE(statuses.size() == kHosts);
  for (std::size_t i = 0; i < kHosts; ++i) {
    CAPTURE(i);
    REQUIRE(statuses[i].figures);
    CHECK(statuses[i].figures->domains == 31 + i);
  }
}

TEST_CASE("a silent host, a dead one and a wrong one cost their own rows") {
  const ScratchFiles files;
  const std::uint16_t port = free_port();
  const auto server =
      HttpServer::listen(control::TcpAddress{.port = port}, [](const Request& request) {
        const bool asks_right =
            request.query == std::map<std::string, std::string>{{"domains", "off"}};
        return Response{asks_right ? 200 : 500, metrics_of_a_host()};
      }).value();
  const SilentServer silent(files.path("silent.sock"));
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  const auto statuses =
      ask_all({{"silent", {files.path("silent.sock"), {}, {}}, {}, ""},
               {"good", {{}, url, {}}, {}, ""},
               {"gone", {files.path("gone.sock"), {}, {}}, {}, ""},
               {"refused", {{}, "http://127.0.0.1:" + std::to_string(free_port()), {}}, {}, ""},
               {"long", {std::string(200, 'x'), {}, {}}, {}, ""}},
              std::chrono::milliseconds(300));
  const auto problem = [&](std::size_t i) { return statuses[i].figures.error().text(); };
  CHECK(problem(0) == "memcoord does not answer");
  CHECK(statuses[1].figures.has_value());
  CHECK(problem(2) == "no memcoord runs here");
  CHECK(problem(3) == "cannot be reached: Connection refused");
  CHECK(problem(4) == "is too long for a socket's path");
}

TEST_CASE("a response that does not end is cut off at its limit") {
  const std::uint16_t port = free_port();
  const auto server = HttpServer::listen(control::TcpAddress{.port = port}, [](const Request&) {
                        return Response{200, std::string(100'000, 'x')};
                      }).value();
  const control::Server at{{}, "http://127.0.0.1:" + std::to_string(port), {}};
  const auto responses = control::send_requests({{at, {"GET", "/metrics", {}, {}}}},
                                                {std::chrono::minutes(1), 50'000});
  REQUIRE_FALSE(responses[0]);
  CHECK(responses[0].error().message == "the response is too long");
}

TEST_CASE("a token is sent as a bearer token, and a HEAD request has no body") {
  const std::uint16_t port = free_port();
  const auto server =
      HttpServer::listen(control::TcpAddress{.port = port}, [](const Request& request) {
        const auto header = request.headers.find("authorization");
        const bool known = header != request.headers.end() && header->second == "Bearer secret";
        return Response{known ? 200 : 401, "text"};
      }).value();
  const std::string url = "http://127.0.0.1:" + std::to_string(port);
  const auto responses =
      control::send_requests({{{{}, url, "secret"}, {"HEAD", "/v1/status", {}, {}}},
                              {{{}, url, {}}, {"GET", "/v1/status", {}, {}}}},
                             {});
  CHECK(responses[0]->status == 200);
  CHECK(responses[0]->body.empty());
  CHECK(responses[1]->status == 401);
  CHECK(responses[1]->body == "text");
}
