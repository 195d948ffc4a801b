// Runs that are queried over TCP, also by hostile clients.

#include <doctest/doctest.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/refusal.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/raw_client.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::observers::Json;
using memcoord::testing::free_port;
using memcoord::testing::Process;
using memcoord::testing::raw_clients;
using memcoord::testing::RawClient;
using memcoord::testing::refusal;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;
using memcoord::testing::start_with_port;

namespace {

constexpr const char* kFirstToken = "0123456789abcdef";

/// A run on a simulated host that serves a TCP port, with a control socket and a journal.
struct WatchedRun {
  explicit WatchedRun(const std::vector<std::string>& options = {},
                      const std::string& host = "127.0.0.1",
                      const std::string& scenario = "case1") {
    run = start_with_port(port, [&] { return words(options, host, scenario); });
  }
  std::vector<std::string> words(std::vector<std::string> options, const std::string& host,
                                 const std::string& scenario) const {
    options.insert(options.end(),
                   {"--connect", "sim:" + scenario, "--interval", "50ms", "--policy", "halving",
                    "--json", "--control", socket, "--journal", files.path("ticks.jsonl"),
                    "--metrics", host + ":" + std::to_string(port)});
    return options;
  }
  /// What the server sends until it closes the connection.
  [[nodiscard]] std::string exchange(const std::string& text) const {
    const RawClient client(port);
    static_cast<void>(client.send(text));
    return client.read();
  }
  /// The response to a request with these further lines in its head, which has no Host else.
  [[nodiscard]] std::string send(const std::string& method, const std::string& path,
                                 const std::string& lines = "Host: localhost\r\n",
                                 const std::string& body = "") const {
    return exchange(method + " " + path + " HTTP/1.1\r\n" + lines +
                    "Connection: close\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + body);
  }
  /// The status of that response.
  [[nodiscard]] int status_of(const std::string& method, const std::string& path,
                              const std::string& lines = "Host: localhost\r\n",
                              const std::string& body = "") const {
    const std::string response = send(method, path, lines, body);
    REQUIRE(response.starts_with("HTTP/1.1 "));
    return std::stoi(response.substr(9, 3));
  }
  /// The status of the run, over TCP.
  [[nodiscard]] Json status() const {
    const std::string response = send("GET", "/v1/status");
    return Json::parse(response.substr(response.find("\r\n\r\n") + 4)).value();
  }
  /// Whether the run makes five ticks more.
  [[nodiscard]] bool makes_ticks() const {
    const auto number = static_cast<int>(status().at("tick").number());
    return run->wait_for_output("\"tick\":" + std::to_string(number + 5) + ",");
  }

  ScratchFiles files;
  std::string socket = files.path("control.sock");
  std::uint16_t port = 0;
  std::unique_ptr<Process> run;
};

}  // namespace

TEST_CASE("a run answers queries over TCP, and its log says where") {
  WatchedRun watched;
  CHECK(watched.run->wait_for_errors(
      "info live page on http://127.0.0.1:" + std::to_string(watched.port) +
      "/, metrics on /metrics there\n"));
  CHECK(watched.status().at("policy").string() == "halving");
  const std::string head = watched.send("HEAD", "/v1/status");
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(contains(head, "\r\nContent-Security-Policy: default-src 'none'; "));
  CHECK(head.ends_with("\r\n\r\n"));
  const std::string missing = watched.send("GET", "/no/such");
  CHECK(missing.starts_with("HTTP/1.1 404 "));
  CHECK(contains(missing, "\r\nX-Content-Type-Options: nosniff\r\n"));
  watched.run->signal(SIGTERM);
  CHECK(watched.run->finish().exit_code == 0);
}

TEST_CASE("nothing is changed over TCP") {
  WatchedRun watched;
  for (const std::string method : {"POST", "PUT", "DELETE", "PATCH"}) {
    CAPTURE(method);
    CHECK(watched.status_of(method, "/v1/pause") == 405);
    CHECK(watched.status_of(method, "/v1/dry-run", "Host: localhost\r\n", "{\"on\": true}") == 405);
    CHECK(watched.status_of(method, "/v1/policy", "Host: localhost\r\n", "{\"name\": \"band\"}") ==
          405);
    CHECK(watched.status_of(method, "/v1/reload") == 405);
  }
  CHECK(watched.status_of("GET", "/v1/pause") == 404);
  CHECK(watched.makes_ticks());
  CHECK(watched.status().at("policy").string() == "halving");
  CHECK_FALSE(contains(watched.files.read("ticks.jsonl"), "requested by"));
  // On the control socket the same is a change.
  CHECK(run_memcoord({"pause", "--control", watched.socket}).exit_code == 0);
  CHECK(watched.run->wait_for_errors("every domain paused, requested by "));
}

TEST_CASE("a browser of another site gets nothing over TCP") {
  const WatchedRun watched({"--metrics-host", "Metrics.Example"});
  CHECK(watched.status_of("GET", "/v1/status", "") == 400);
  CHECK(watched.status_of("GET", "/v1/status", "Host: evil.example\r\n") == 421);
  CHECK(watched.status_of("GET", "/metrics", "Host: evil.example\r\n") == 421);
  CHECK(watched.status_of("GET", "/v1/status", "Host: metrics.example:443\r\n") == 200);
  const std::string local = "Host: localhost\r\n";
  CHECK(watched.status_of("GET", "/v1/status", local + "Origin: http://evil.example\r\n") == 403);
  CHECK(watched.status_of("GET", "/v1/status", local + "Sec-Fetch-Site: cross-site\r\n") == 403);
  CHECK(watched.status_of("OPTIONS", "/v1/status", local + "Origin: http://evil.example\r\n") ==
        405);
  CHECK_FALSE(contains(watched.send("GET", "/v1/status"), "Access-Control-"));
}

TEST_CASE("with a token file, a run answers /metrics alone without the token") {
  ScratchFiles files;
  const std::string path = files.write("token", std::string(kFirstToken) + "\n", 0640);
  WatchedRun watched({"--metrics-token", path});
  const auto status = [&](const std::string& authorization) {
    return watched.status_of("GET", "/v1/status",
                             "Host: localhost\r\nAuthorization: " + authorization + "\r\n");
  };
  CHECK(watched.status_of("GET", "/metrics") == 200);
  CHECK(watched.status_of("GET", "/") == 401);
  const std::string refused = watched.send("GET", "/v1/status");
  CHECK(refused.starts_with("HTTP/1.1 401 "));
  CHECK(contains(refused, "\r\nWWW-Authenticate: Bearer realm=\"memcoord\"\r\n"));
  CHECK(contains(refused, "\r\nWWW-Authenticate: Basic realm=\"memcoord\", "));
  CHECK(status("Bearer wrong") == 401);
  CHECK(status(std::string("Bearer ") + kFirstToken) == 200);
  CHECK(status("Basic eDowMTIzNDU2Nzg5YWJjZGVm") == 200);

  files.write("token", "fedcba9876543210\n");
  CHECK(contains(run_memcoord({"reload", "--control", watched.socket}).output,
                 "; the token of --metrics is read again"));
  CHECK(status("Bearer fedcba9876543210") == 200);
  CHECK(status(std::string("Bearer ") + kFirstToken) == 401);
  files.write("token", "");
  watched.run->signal(SIGHUP);
  CHECK(watched.run->wait_for_errors(
      "cannot read the token of --metrics again, the old one stays: "));
  CHECK(status("Bearer fedcba9876543210") == 200);
}

TEST_CASE("an address that others reach serves metrics only, unless there is a token") {
  ScratchFiles files;
  const std::string path = files.write("token", kFirstToken, 0600);
  {
    WatchedRun watched({}, "0.0.0.0");
    CHECK(watched.run->wait_for_errors("/metrics, and no other path without --metrics-token\n"));
    CHECK(watched.status_of("GET", "/metrics") == 200);
    CHECK(watched.status_of("GET", "/v1/status") == 403);
    CHECK(watched.status_of("GET", "/") == 403);
  }
  const WatchedRun watched({"--metrics-token", path}, "0.0.0.0");
  CHECK(watched.status_of("GET", "/v1/status") == 401);
  CHECK(watched.status_of("GET", "/v1/status",
                          std::string("Host: 127.0.0.2\r\nAuthorization: Bearer ") + kFirstToken +
                              "\r\n") == 200);
}

TEST_CASE("an address, a token file or a name that --metrics cannot use is refused in a line") {
  const WatchedRun watched;
  const ScratchFiles files;
  const std::string taken = std::to_string(watched.port);
  const auto refused = [](std::vector<std::string> options, int exit_code = 2) {
    options.insert(options.end(), {"--connect", "sim:case1", "--no-wait", "--ticks", "1"});
    return refusal(options, exit_code);
  };
  CHECK(contains(refused({"--metrics", taken}, 1), "another program uses this port"));
  CHECK(
      contains(refused({"--metrics", "example.com:9798"}), "--metrics: 'example.com:9798' has no"));
  CHECK(contains(refused({"--metrics", "192.0.2.7:9798"}), "this host does not have this address"));
  const std::string port = std::to_string(free_port());
  const auto refused_token = [&](const std::string& text, mode_t mode, int exit_code = 2) {
    return refused({"--metrics", port, "--metrics-token", files.write("token", text, mode)},
                   exit_code);
  };
  CHECK(contains(refused_token(kFirstToken, 0644), "can read the token, or change it; chmod 0640"));
  CHECK(contains(refused_token("", 0600), "the token file is empty"));
  CHECK(contains(refused_token("short", 0600), "it needs 16 to 1024"));
  CHECK(refused({"--metrics", port, "--metrics-token", files.path("none")}) ==
        "--metrics-token " + files.path("none") +
            ": no such token file; write one with: openssl rand -hex 32");
  CHECK(refused({"--metrics-token", files.path("none")}) ==
        "--metrics-token: needs --metrics; add --metrics ADDRESS");
  CHECK(refused({"--metrics-host", "a"}) ==
        "--metrics-host: needs --metrics; add --metrics ADDRESS");
  CHECK(contains(refused({"--metrics", port, "--metrics-host", "a:1"}),
                 "--metrics-host: 'a:1' is not the name of a host"));
}

TEST_CASE("a configuration names the address, and an error in it has its line") {
  const ScratchFiles files;
  const auto refused = [&](const std::string& text) {
    return refusal({"--config", files.write("memcoord.toml", text), "--connect", "sim:case1",
                    "--no-wait", "--ticks", "1"});
  };
  CHECK(contains(refused("metrics = \"*:9798\"\n"), "memcoord.toml:1:11: metrics: '*:9798' names"));
  CHECK(contains(
      refused("metrics = \"" + std::to_string(free_port()) + "\"\nmetrics-token = \"/no/such\"\n"),
      "memcoord.toml:2:17: metrics-token: /no/such: no such token file"));
  CHECK(contains(refused("metrics-token = \"/no/such\"\n"),
                 "memcoord.toml:1:17: metrics-token: needs --metrics"));
}

TEST_CASE("no client over TCP harms the ticks of a run or keeps others from their responses") {
  const ScratchFiles files;
  // A response of 800 domains does not fit a socket's buffer.
  WatchedRun watched({}, "127.0.0.1", many_domains(files, 800));
  const auto idle = raw_clients(250, "", watched.port);
  const auto half = raw_clients(250, "GET /v1/status HTTP/1.1\r\nHo", watched.port);
  const auto body = raw_clients(
      250, "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", watched.port);
  const auto deaf =
      raw_clients(250, "GET /v1/tick HTTP/1.1\r\nHost: localhost\r\n\r\n", watched.port);
  CHECK(watched.makes_ticks());
  const std::vector<std::string> hostile{"garbage\r\n\r\n", "GET /" + std::string(1 << 20, 'x'),
                                         "GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x')};
  for (const std::string& text : hostile) {
    CHECK_FALSE(contains(watched.exchange(text), " 200 OK"));
  }
  CHECK(watched.makes_ticks());
  CHECK(run_memcoord({"status", "--control", watched.socket}).exit_code == 0);
  watched.run->signal(SIGTERM);
  CHECK(watched.run->finish().exit_code == 0);
}
