#include <fcntl.h>
#include <grp.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

#include "engine/control/http.h"
#include "engine/files/open_file.h"
#include "engine/observers/json.h"

namespace memcoord::control {
namespace {

namespace fs = std::filesystem;
using observers::Json;

/// A request that is not complete yet.
struct Incoming {
  std::string body;
  bool too_large = false;
};

Error socket_error(const fs::path& path, int code, const std::string& what) {
  const bool refused = code == EACCES || code == EPERM || code == EROFS;
  return {refused ? ErrorCode::permission_denied : ErrorCode::invalid_input,
          path.string(),
          what + ": " + std::strerror(code),
          "give another path with --control PATH, or --control off for no socket",
          {}};
}

Result<sockaddr_un> address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::invalid_input, text, "is too long for a socket's path",
                "use at most " + std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(static_cast<char*>(address.sun_path), text.c_str(), text.size() + 1);
  return address;
}

/// Removes the socket of a process that has ended.
Status remove_stale_socket(const fs::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(ErrorCode::invalid_input, path.string(), "exists and is not a socket",
                "give another path with --control PATH");
  }
  const files::OpenFile probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  const bool served = ::connect(probe.get(), target, sizeof address) == 0 || errno == EAGAIN;
  if (served) {
    return fail(ErrorCode::unavailable, path.string(), "another memcoord serves this socket",
                "stop it, or give another path with --control PATH");
  }
  if (errno != ECONNREFUSED) return fail(socket_error(path, errno, "cannot be checked"));
  if (::unlink(path.c_str()) != 0) return fail(socket_error(path, errno, "cannot be replaced"));
  return {};
}

/// The group whose members may manage guests.
void give_to_libvirt_group(const fs::path& path) {
  group entry{};
  group* found = nullptr;
  std::array<char, 4096> space{};
  if (::getgrnam_r("libvirt", &entry, space.data(), space.size(), &found) != 0 || !found) return;
  // If that is not allowed, the socket keeps the group of the process.
  [[maybe_unused]] const int given = ::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid);
}

Result<files::OpenFile> make_socket(const fs::path& path) {
  const auto address = address_of(path);
  if (!address) return fail(address.error());
  if (Status clear = remove_stale_socket(path, *address); !clear) return fail(clear.error());
  files::OpenFile socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return fail(socket_error(path, errno, "cannot be created"));
  // bind() creates the socket with this mode, less the umask: it never has a laxer one than 0660.
  ::fchmod(socket.get(), 0660);
  const auto* target = reinterpret_cast<const sockaddr*>(&*address);
  if (::bind(socket.get(), target, sizeof *address) != 0) {
    return fail(socket_error(path, errno, "cannot be created"));
  }
  give_to_libvirt_group(path);
  ::chmod(path.c_str(), 0660);
  if (::listen(socket.get(), SOMAXCONN) != 0) {
    const int code = errno;
    ::unlink(path.c_str());
    return fail(socket_error(path, code, "cannot be served"));
  }
  return socket;
}

std::optional<Peer> peer_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info == nullptr) return std::nullopt;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return std::nullopt;
  }
  return Peer{credentials.uid, credentials.pid};
}

MHD_Result add_to_query(void* query, MHD_ValueKind, const char* name, const char* value) {
  static_cast<std::map<std::string, std::string>*>(query)->insert_or_assign(
      name, value == nullptr ? "" : value);
  return MHD_YES;
}

MHD_Result send(MHD_Connection* connection, const Response& response) {
  MHD_Response* out = MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
  if (out == nullptr) return MHD_NO;
  MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, response.type.c_str());
  MHD_add_response_header(out, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(response.status), out);
  MHD_destroy_response(out);
  return queued;
}

Response error_response(int status, const std::string& error) {
  return {status, Json::object({{"error", error}}).text() + "\n"};
}

Response call(const Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& exception) {
    return error_response(MHD_HTTP_INTERNAL_SERVER_ERROR, exception.what());
  }
}

/// libmicrohttpd calls it once with the head of a request, then with each part of its body, then
/// for the response.
MHD_Result handle(void* handler, MHD_Connection* connection, const char* path, const char* method,
                  const char*, const char* data, std::size_t* size, void** state) {
  if (*state == nullptr) {
    *state = new Incoming;
    return MHD_YES;
  }
  auto& incoming = *static_cast<Incoming*>(*state);
  if (*size > 0) {
    incoming.too_large = incoming.too_large || incoming.body.size() + *size > HttpServer::kMaxBody;
    if (!incoming.too_large) incoming.body.append(data, *size);
    *size = 0;
    return MHD_YES;
  }
  if (incoming.too_large) {
    return send(connection, error_response(MHD_HTTP_CONTENT_TOO_LARGE,
                                           "a request's body has at most " +
                                               std::to_string(HttpServer::kMaxBody) + " bytes"));
  }
  Request request{method, path, {}, std::move(incoming.body), peer_of(connection)};
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_to_query, &request.query);
  return send(connection, call(*static_cast<const Handler*>(handler), request));
}

void forget(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
  delete static_cast<Incoming*>(*state);
  *state = nullptr;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const fs::path& path, Handler handler) {
  auto socket = make_socket(path);
  if (!socket) return fail(socket.error());
  // make_unique cannot call the private constructor.
  std::unique_ptr<HttpServer> server(new HttpServer(path, std::move(handler)));
  server->daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, handle, &server->handler_,
      MHD_OPTION_LISTEN_SOCKET, socket->get(), MHD_OPTION_CONNECTION_LIMIT, kMaxConnections,
      MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(kTimeout.count()),
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, std::size_t{32} * 1024, MHD_OPTION_NOTIFY_COMPLETED,
      forget, nullptr, MHD_OPTION_END);
  if (server->daemon_ == nullptr) {
    return fail(ErrorCode::internal, path.string(), "the control server cannot start");
  }
  socket->release();  // MHD_stop_daemon() closes it
  return server;
}

HttpServer::~HttpServer() {
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  ::unlink(path_.c_str());
}

}  // namespace memcoord::control
