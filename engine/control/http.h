#pragma once
// HTTP/1.1: the server on a Unix socket or a TCP address (http_server.cpp, with libmicrohttpd) and
// the client of both (http_client.cpp, with libcurl).

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/control/tcp_address.h"
#include "engine/core/error.h"

namespace memcoord::control {

/// The process at the other end of a connection, as the kernel reports it.
struct Peer {
  uid_t user = 0;
  pid_t process = 0;
};

struct Request {
  std::string method;  ///< "GET"
  std::string path;    ///< decoded, without the query: "/v1/domains/web 1"
  std::map<std::string, std::string> query;
  std::string body;
  /// The server fills it in. None over TCP.
  std::optional<Peer> peer = {};
  /// By name in lower case. Several of one name are joined by ", ".
  std::map<std::string, std::string> headers = {};
};

struct Response {
  int status = 200;
  std::string body;
  std::string type = "application/json";
  /// Further ones, by name. A value of several lines is sent as one header for each line.
  std::map<std::string, std::string> headers = {};
};

/// Called from several threads at once.
using Handler = std::function<Response(const Request&)>;

/// What the clients of a server may use together.
struct HttpLimits {
  unsigned connections = 64;
  /// For a whole request to arrive, and for the response to be read.
  std::chrono::milliseconds time = std::chrono::seconds(5);
  std::size_t unread = std::size_t{32} << 20U;  ///< bytes of responses that wait to be read
  std::size_t changes = 16;                     ///< that wait to be made; others get the status 503
};

/// Answers requests as long as it lives, in threads of its own. On a Unix socket it answers queries
/// (GET, HEAD) in one, and changes (any other method) one after the other in a second, so that no
/// query waits for a change. Over TCP one thread answers every request.
///
/// A client that sends half a request, stops reading or keeps its connection open is closed after
/// HttpLimits::time. If there are too many connections or unread bytes, the server closes the
/// oldest connection of the user, or of the IP address, that has the most.
///
/// Every response of the handler is completed (response_headers.h). libmicrohttpd answers requests
/// that it cannot parse by itself, with fixed texts.
class HttpServer {
 public:
  static constexpr std::size_t kMaxBody = std::size_t{16} << 10U;  ///< bytes of a request's body
  static constexpr int kNiceIncrement = 10;  ///< the nice value of its threads, above the caller's

  /// Creates the socket with mode 0660 and, if possible, group libvirt. Replaces a socket that no
  /// process serves. Calls `handler` in the server's threads, which have the caller's signal mask.
  /// Errors: invalid_input (the path is too long, or names something else than a socket),
  /// unavailable (another process serves the socket), permission_denied.
  static Result<std::unique_ptr<HttpServer>> listen(const std::filesystem::path& path,
                                                    Handler handler, HttpLimits limits = {});
  /// Serves a TCP address. `handler` decides what clients may do: see restricted(). Errors:
  /// unavailable (the port is taken), invalid_input (this host does not have the address),
  /// permission_denied.
  static Result<std::unique_ptr<HttpServer>> listen(const TcpAddress& address, Handler handler,
                                                    HttpLimits limits = {});
  /// Ends the threads, a change in progress first, and removes the socket.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  class Threads;
  static Result<std::unique_ptr<HttpServer>> serve(std::unique_ptr<Threads> threads,
                                                   const std::string& where);
  explicit HttpServer(std::unique_ptr<Threads> threads);
  std::unique_ptr<Threads> threads_;
};

/// Sends one request to the server of a socket and waits for its response, of any status. Errors:
/// unavailable (no memcoord runs), permission_denied, timed_out, internal.
Result<Response> send_request(const std::filesystem::path& socket, const Request& request,
                              std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// A server of a memcoord: its control socket, or a URL.
struct Server {
  std::filesystem::path socket;  ///< empty: `url` is used
  std::string url;               ///< as server_url() returns it
  std::string token;             ///< sent as a bearer token; empty: none
};
struct ServerRequest {
  Server server;
  Request request;
};
struct RequestLimits {
  std::chrono::milliseconds time{std::chrono::seconds(10)};  ///< for each request, to its end
  std::size_t most_bytes = std::size_t{64} << 20U;           ///< of a response's body
};
/// The requests that send_requests() has under way at once.
inline constexpr std::size_t kMostParallelRequests = 512;

/// Sends requests to several servers at once and waits for all responses, which come in the order
/// of the requests. A request that fails has its own error. Follows no redirection and uses no
/// proxy. Errors: those of send_request(); invalid_input (a socket's path that is too long),
/// limit_exceeded (the response is too long).
std::vector<Result<Response>> send_requests(const std::vector<ServerRequest>& requests,
                                            const RequestLimits& limits);

/// The URL in a text, without slashes at its end: "https://kvm1:9798/memcoord". Errors, without an
/// object: invalid_input (it is no URL of http or https; it has a user, a query or a fragment).
Result<std::string> server_url(const std::string& text);

/// The body of a response with the status 200. Errors: the one in the response, as invalid_input or
/// (with a status from 500 on) unavailable; internal (the response has none).
Result<std::string> response_body(Response response);

/// What a change did, from the body of its response. Errors: internal (this is no such body, as
/// from another program that serves `socket`).
Result<std::string> done_text(const std::string& body, const std::filesystem::path& socket);

}  // namespace memcoord::control
