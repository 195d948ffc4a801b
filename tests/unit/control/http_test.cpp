#include "engine/control/http.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <latch>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/cli/scratch_files.h"
#include "tests/raw_client.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::control;
using memcoord::testing::raw_clients;
using memcoord::testing::RawClient;
using memcoord::testing::ScratchFiles;

namespace {

/// Returns the request as text.
Response echo(const Request& request) {
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
  return {200, text + " " + request.body, "text/plain"};
}

/// A server of one socket.
struct Served {
  explicit Served(Handler handler = echo, HttpLimits limits = {})
      : server(HttpServer::listen(path, std::move(handler), limits).value()) {}
  [[nodiscard]] Result<Response> send(const std::string& method, const std::string& target) const {
    return send_request(path, {method, target, {}, {}, {}});
  }
  [[nodiscard]] bool answers() const {
    const auto response = send("GET", "/");
    return response && response->status == 200;
  }

  ScratchFiles files;
  std::string path = files.path("control.sock");
  std::unique_ptr<HttpServer> server;
};

/// Leaves this process room for some more open files.
class FewFiles {
 public:
  explicit FewFiles(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(STDERR_FILENO);
    ::close(next);
    const rlimit limit{static_cast<rlim_t>(next) + more, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~FewFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;

 private:
  rlimit before_{};
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("a request arrives as it was sent, with the process that sent it") {
  const ScratchFiles files;
  const std::filesystem::path path = files.path("control.sock");
  pid_t sender = 0;
  const auto server = HttpServer::listen(path, [&](const Request& request) {
    if (request.peer) sender = request.peer->process;
    return echo(request);
  });
  REQUIRE(server);
  const auto got = send_request(path, {"GET", "/v1/domains/a b%/ü", {{"as", "x&y"}}, {}, {}});
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->body == "GET /v1/domains/a b%/ü as=x&y ");
  CHECK(sender == ::getpid());
  const auto posted = send_request(path, {"POST", "/v1/pause", {}, "{}", {}});
  REQUIRE(posted);
  CHECK(posted->body == "POST /v1/pause {}");
}

TEST_CASE("queries and changes run at a lower priority than the loop") {
  const Served served([](const Request&) {
    return Response{200, std::to_string(::getpriority(PRIO_PROCESS, 0)), "text/plain"};
  });
  const int own = ::getpriority(PRIO_PROCESS, 0);
  const std::string expected = std::to_string(std::min(own + 10, 19));
  for (const std::string method : {"GET", "POST"}) {
    const auto response = served.send(method, "/");
    REQUIRE(response);
    CHECK(response->body == expected);
  }
  CHECK(::getpriority(PRIO_PROCESS, 0) == own);
}

TEST_CASE("the socket belongs to one server, and goes with it") {
  const ScratchFiles files;
  const std::filesystem::path path = files.path("control.sock");
  {
    const auto server = HttpServer::listen(path, echo);
    REQUIRE(server);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0660U);
    const auto second = HttpServer::listen(path, echo);
    REQUIRE_FALSE(second);
    CHECK(second.error().message == "another memcoord serves this socket");
    CHECK(send_request(path, {"GET", "/", {}, {}, {}}));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  const auto none = send_request(path, {"GET", "/v1/status", {}, {}, {}});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::unavailable);
}

TEST_CASE("a body that is too large is refused, and the next request is served") {
  const ScratchFiles files;
  const std::filesystem::path path = files.path("control.sock");
  const auto server = HttpServer::listen(path, echo);
  REQUIRE(server);
  const auto large = send_request(path, {"POST", "/v1/pause", {}, std::string(1 << 20, ' '), {}});
  REQUIRE(large);
  CHECK(large->status == 413);
  const auto next = send_request(path, {"GET", "/v1/status", {}, {}, {}});
  REQUIRE(next);
  CHECK(next->status == 200);
}

TEST_CASE("the server replaces a socket without a process, and nothing else") {
  const ScratchFiles files;
  const std::string text = files.write("file", "precious");
  const auto refused = HttpServer::listen(text, echo);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "exists and is not a socket");
  CHECK(files.read("file") == "precious");
  CHECK_FALSE(HttpServer::listen(files.path(std::string(200, 'x')), echo));
  CHECK_FALSE(HttpServer::listen(files.path("no/such/folder"), echo));

  const std::filesystem::path path = files.path("stale.sock");
  if (::fork() == 0) {
    const auto abandoned = HttpServer::listen(path, echo);
    ::_exit(0);  // without the destructor
  }
  while (!std::filesystem::exists(path)) ::usleep(1000);
  ::wait(nullptr);
  CHECK(HttpServer::listen(path, echo));
}

TEST_CASE("a handler that throws costs its own response") {
  const ScratchFiles files;
  const std::filesystem::path path = files.path("control.sock");
  const auto server = HttpServer::listen(path, [](const Request& request) {
    if (request.path == "/throw") throw std::runtime_error("broke");
    return echo(request);
  });
  REQUIRE(server);
  CHECK(send_request(path, {"GET", "/throw", {}, {}, {}})->status == 500);
  CHECK(send_request(path, {"GET", "/", {}, {}, {}})->status == 200);
}

TEST_CASE("a thousand connections that do nothing keep no other from its response") {
  for (const std::string_view text : {std::string_view(), std::string_view("GET /v1/sta"), kGet}) {
    CAPTURE(text);
    const Served served;
    const auto clients = raw_clients(1000, text, served.path);
    CHECK(served.answers());
  }
}

TEST_CASE("a request that comes byte by byte is closed in its time") {
  const Served served(echo, {.time = std::chrono::milliseconds(100)});
  const RawClient client(served.path);
  int sent = 0;
  while (sent < 10'000 && client.send("x")) {
    ++sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(sent < 10'000);
  CHECK(client.is_closed());
  CHECK(served.answers());
}

TEST_CASE("responses that wait to be read are bounded") {
  constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
  const auto large = [](const Request&) { return Response{200, std::string(kMebibyte, 'x')}; };
  const Served served(large, {.unread = 4 * kMebibyte});
  const auto clients = raw_clients(20, kGet, served.path);
  CHECK(served.answers());
  int whole = 0;
  for (const auto& client : clients) {
    if (client->read().size() > kMebibyte) ++whole;
  }
  CHECK(whole <= 4);
}

TEST_CASE("a response that is larger than the bound arrives") {
  const auto large = [](const Request&) { return Response{200, std::string(3'000'000, 'x')}; };
  const Served served(large, {.unread = 1000});
  const auto response = served.send("GET", "/");
  REQUIRE(response);
  CHECK(response->body.size() == 3'000'000);
}

TEST_CASE("queries do not wait for a change, and a change too many is refused") {
  std::latch begun(1);
  std::latch go(1);
  const auto handler = [&](const Request& request) {
    if (request.path == "/slow") {
      begun.count_down();
      go.wait();
    }
    return echo(request);
  };
  const Served served(handler, {.changes = 2});
  Result<Response> slow;
  std::thread first([&] { slow = served.send("POST", "/slow"); });
  begun.wait();
  CHECK(served.answers());
  const RawClient second(served.path);
  CHECK(second.send("POST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
  // The server reads requests in the order in which they arrive.
  CHECK(served.answers());
  CHECK(served.send("POST", "/third")->status == 503);
  go.count_down();
  first.join();
  REQUIRE(slow);
  CHECK(slow->body == "POST /slow ");
  CHECK(contains(second.read("POST /second "), "POST /second "));
}

TEST_CASE("the server ends while changes wait") {
  std::latch begun(1);
  std::atomic<int> changes = 0;
  auto served = std::make_unique<Served>([&](const Request& request) {
    if (request.method == "POST" && ++changes == 1) {
      begun.count_down();
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    return echo(request);
  });
  constexpr const char* kPost = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
  const RawClient first(served->path);
  CHECK(first.send(kPost));
  begun.wait();
  const RawClient second(served->path);
  CHECK(second.send(kPost));
  CHECK(served->answers());
  served.reset();
  CHECK(second.is_closed());
}

TEST_CASE("requests that follow each other without waiting are answered one by one") {
  const Served served;
  const RawClient client(served.path);
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  CHECK(client.send(text));
  CHECK(contains(client.read("GET /99 "), "GET /99 "));
}

TEST_CASE("garbage, large heads and endless bodies end their own connection") {
  const Served served(echo, {.time = std::chrono::milliseconds(500)});
  std::mt19937 random(1);  // NOLINT: the same bytes every time
  for (int i = 0; i < 50; ++i) {
    std::string bytes(1000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const RawClient client(served.path);
    static_cast<void>(client.send(bytes + "\r\n\r\n"));
    CHECK(client.is_closed());
  }
  const RawClient head(served.path);
  static_cast<void>(head.send("GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x') + "\r\n\r\n"));
  CHECK(head.is_closed());
  const RawClient body(served.path);
  CHECK_FALSE(body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" +
                        std::string(10 << 20, 'x')));
  CHECK(served.answers());
}

TEST_CASE("clients that go away in the middle of a response do no harm") {
  const auto large = [](const Request&) { return Response{200, std::string(1 << 20, 'x')}; };
  const Served served(large);
  for (int i = 0; i < 100; ++i) {
    const RawClient client(served.path);
    CHECK(client.send(kGet));
  }
  CHECK(served.answers());
}

TEST_CASE("a server leaves the socket of another that has replaced it") {
  const ScratchFiles files;
  const std::filesystem::path path = files.path("control.sock");
  auto first = HttpServer::listen(path, echo);
  REQUIRE(first);
  std::filesystem::remove(path);
  const auto second = HttpServer::listen(path, echo);
  REQUIRE(second);
  first->reset();
  CHECK(send_request(path, {"GET", "/", {}, {}, {}}));
}

TEST_CASE("the client says what is wrong with a socket") {
  const ScratchFiles files;
  const auto error_of = [](const std::string& path) {
    const auto response = send_request(path, {"GET", "/", {}, {}, {}});
    REQUIRE_FALSE(response);
    return response.error();
  };
  CHECK(error_of(std::string(200, 'x')).message == "is too long for a socket's path");
  CHECK(error_of(files.write("file", "text")).code == ErrorCode::unavailable);
  const Served closing(
      [](const Request&) {
        return Response{200, std::string(1 << 20, 'x')};
      },
      {.time = std::chrono::milliseconds(0)});
  CHECK(error_of(closing.path).message == "memcoord ended the connection");
}

// The sanitizer of undefined behaviour needs a descriptor to check a type, and errs without one.
#ifdef __clang__
constexpr bool kChecksTypes = true;
#else
constexpr bool kChecksTypes = false;
#endif

TEST_CASE("a server that the limit of open files stops says so" * doctest::skip(kChecksTypes)) {
  const ScratchFiles files;
  const std::string path = files.path("control.sock");
  std::vector<std::string> refusals;
  for (rlim_t more = 2; more < 8; ++more) {
    const FewFiles few(more);
    const auto server = HttpServer::listen(std::filesystem::path(path), echo);
    if (!server) refusals.push_back(server.error().text());
  }
  CAPTURE(refusals.size());
  CHECK(std::find(refusals.begin(), refusals.end(),
                  path + ": the server cannot start: the limit of open files is reached; raise the "
                         "limit of open files (ulimit -n)") != refusals.end());
  for (const std::string& refusal : refusals) CHECK(contains(refusal, "open files"));
}
