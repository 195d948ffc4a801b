#pragma once
// HTTP/1.1 on a Unix socket: the server (http_server.cpp, with libmicrohttpd) and the client
// (http_client.cpp, with libcurl).

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/core/error.h"

struct MHD_Daemon;

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
  std::optional<Peer> peer = {};  ///< the server fills it in
};

struct Response {
  int status = 200;
  std::string body;
  std::string type = "application/json";
};

using Handler = std::function<Response(const Request&)>;

/// Answers requests in a thread of its own, as long as it lives. A client that stops reading, sends
/// half a request or keeps its connection open occupies one of kMaxConnections for kTimeout at
/// most.
class HttpServer {
 public:
  static constexpr unsigned kMaxConnections = 64;
  static constexpr std::chrono::seconds kTimeout{5};
  static constexpr std::size_t kMaxBody = std::size_t{16} * 1024;  ///< bytes of a request's body

  /// Creates the socket with mode 0660 and, if possible, group libvirt. Replaces a socket that no
  /// process serves. Calls `handler` in the server's thread, which has the caller's signal mask.
  /// Errors: invalid_input (the path is too long, or names something else than a socket),
  /// unavailable (another process serves the socket), permission_denied.
  static Result<std::unique_ptr<HttpServer>> listen(const std::filesystem::path& path,
                                                    Handler handler);
  /// Ends the thread and removes the socket.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  HttpServer(std::filesystem::path path, Handler handler)
      : path_(std::move(path)), handler_(std::move(handler)) {}

  std::filesystem::path path_;
  Handler handler_;
  MHD_Daemon* daemon_ = nullptr;
};

/// Sends one request to the server of a socket and waits for its response, of any status. Errors:
/// unavailable (no memcoord runs), permission_denied, timed_out, internal.
Result<Response> send_request(const std::filesystem::path& socket, const Request& request,
                              std::chrono::milliseconds timeout = std::chrono::seconds(10));

}  // namespace memcoord::control
