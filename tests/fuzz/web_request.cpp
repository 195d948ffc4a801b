// Any request over TCP: the rules answer it or let it pass, nothing is changed, and no figure
// reaches a client that must not have it. An input is a line each for the kind of server, the
// method, the path and one parameter, then the header lines, an empty line and the body.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "engine/control/response_headers.h"
#include "engine/control/routes.h"
#include "engine/control/web_access.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

namespace {

using namespace memcoord;
using namespace memcoord::control;

constexpr std::string_view kToken = "0123456789abcdef";

void require(bool holds) {
  if (!holds) std::abort();
}

/// Takes the text before a separator from the front.
std::string next_part(std::string_view& text, char separator = '\n') {
  const std::size_t end = std::min(text.find(separator), text.size());
  std::string part(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

Request request_in(std::string_view text) {
  Request request;
  request.method = next_part(text);
  request.path = next_part(text);
  const std::string parameter = next_part(text);
  std::string_view value = parameter;
  const std::string name = next_part(value, '=');
  request.query[name] = value;
  for (;;) {
    const std::string line = next_part(text);
    if (line.empty()) break;
    std::string_view rest = line;
    const std::string header = next_part(rest, ':');
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    request.headers[header] = rest;
  }
  request.body = text;
  return request;
}

/// The server that the first line names: "t" for a token, "o" for an address that others reach.
WebAccess access_in(const std::string& kind) {
  WebAccess access{.address = {"127.0.0.1", 9798}, .hosts = {"metrics.example.com"}};
  if (kind.find('o') != std::string::npos) access.address.ip = "0.0.0.0";
  if (kind.find('t') != std::string::npos) access.token = [] { return std::string(kToken); };
  return access;
}

RunState& state_of_one_tick() {
  static RunState state;
  static const bool observed = [] {
    Tick tick;
    tick.number = 1;
    tick.snapshot =
        test::World().domain("db").domain("web", test::unused(MemorySize::from_mib(40)));
    state.observe(tick);
    return true;
  }();
  require(observed);
  return state;
}

/// What holds for every request, whatever its answer.
void check_answer(const Request& request, const WebAccess& access, int status) {
  const bool query = request.method == "GET" || request.method == "HEAD";
  require(query || status == 400 || status == 421 || status == 405);
  if (status != 200 || request.path == "/metrics") return;
  require(request.headers.contains("host"));
  if (!access.token) require(access.address.reach() == TcpAddress::Reach::loopback);
  if (!access.token) return;
  // The token itself, or its encoding.
  const std::string& sent = request.headers.at("authorization");
  require(sent.find(kToken) != std::string::npos || sent.find_first_of("bB") != std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  ChangeQueue changes([] {});
  const RouteContext context{.state = state_of_one_tick(),
                             .changes = changes,
                             .version = "0.1",
                             .connection = "test:///",
                             .interval = std::chrono::seconds(1),
                             .started_at = WallTime(),
                             .local_time = false,
                             .now = [] { return WallTime(std::chrono::seconds(30)); },
                             .metrics = [](bool, bool) { return std::string("memcoord_up 1\n"); },
                             .page = [](std::string_view path) -> std::optional<Response> {
                               if (path != "/") return std::nullopt;
                               return Response{200, "<!doctype html>", "text/html"};
                             },
                             .patience = {}};
  const WebAccess access = access_in(next_part(text));
  const Request request = request_in(text);
  const Handler handler = restricted(make_handler(context), access);

  const Response response = handler(request);
  require(changes.drain().empty());
  check_answer(request, access, response.status);
  if (response.status != 200) {
    const auto error = observers::Json::parse(response.body);
    require(error && !error->at("error").string().empty());
  }
  const auto accepted = request.headers.find("accept-encoding");
  const Response sent =
      completed(response, accepted == request.headers.end() ? "" : accepted->second);
  require(sent.headers.contains("Content-Security-Policy"));
  require(sent.headers.contains("Content-Encoding") || sent.body == response.body);
  const auto name = parse_host_name(request.path);
  require(!name || parse_host_name(*name) == *name);
  const auto address = parse_tcp_address(request.path);
  require(!address || parse_tcp_address(address->text()) == *address);
  return 0;
}
