#include "engine/control/http.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/integration/cli/scratch_files.h"

using namespace memcoord;
using namespace memcoord::control;
using memcoord::testing::ScratchFiles;

namespace {

/// Returns the request as text.
Response echo(const Request& request) {
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
  return {200, text + " " + request.body, "text/plain"};
}

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
