#include <microhttpd.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "engine/control/client_list.h"
#include "engine/control/http.h"
#include "engine/control/peer.h"
#include "engine/control/response_headers.h"
#include "engine/control/responses.h"
#include "engine/control/tcp_socket.h"
#include "engine/control/unix_socket.h"
#include "engine/control/wake_up.h"
#include "engine/files/open_file.h"

namespace memcoord::control {
namespace {

using SteadyClock = std::chrono::steady_clock;

using Headers = std::map<std::string, std::string>;

/// A request that is not answered yet.
struct Incoming {
  Headers headers;
  bool has_null = false;  ///< in its path or query, as %00
  bool has_head = false;  ///< on_request() got its head
  std::string body;
  std::size_t received = 0;          ///< bytes of the body, also those beyond kMaxBody
  std::optional<Response> response;  ///< of a change, once it is made
};

/// Why libmicrohttpd could not start, by errno; 0 if that is not known.
Error cannot_start(const std::string& where, int number) {
  if (number == EMFILE || number == ENFILE) {
    return {ErrorCode::unavailable,
            where,
            "the server cannot start: the limit of open files is reached",
            "raise the limit of open files (ulimit -n)",
            {}};
  }
  const std::string reason = number == 0 ? "" : ": " + std::generic_category().message(number);
  return {ErrorCode::internal, where, "the server cannot start" + reason, {}, {}};
}

MHD_Result add_to_query(void* query, MHD_ValueKind, const char* name, const char* value) {
  static_cast<std::map<std::string, std::string>*>(query)->insert_or_assign(
      name, value == nullptr ? "" : value);
  return MHD_YES;
}

MHD_Result add_to_headers(void* headers, MHD_ValueKind, const char* name, const char* value) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto [entry, first] = static_cast<Headers*>(headers)->try_emplace(lower);
  if (!first) entry->second += ", ";  // also after an empty one, so that each of several is seen
  std::string_view text(value == nullptr ? "" : value);
  text = text.substr(0, text.find_last_not_of(" \t") + 1);  // without the blanks at the end
  entry->second += text;
  return MHD_YES;
}

/// Whether a proxy may disagree with this server about where the request ends (request smuggling).
bool has_ambiguous_length(const Headers& headers) {
  const auto length = headers.find("content-length");
  if (length == headers.end()) return false;
  return length->second.find(',') != std::string::npos || headers.contains("transfer-encoding");
}

std::string_view accepted_encodings(MHD_Connection* connection) {
  const char* value =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

Response call(const Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& exception) {
    return error_response_to(MHD_HTTP_INTERNAL_SERVER_ERROR, exception.what());
  }
}

/// Lowers the priority of the calling thread, so that requests do not slow the loop. In Linux,
/// PRIO_PROCESS and 0 name the thread. Without success it keeps its priority.
void lower_priority() {
  constexpr int kLowest = 19;
  const int now = ::getpriority(PRIO_PROCESS, 0);
  ::setpriority(PRIO_PROCESS, 0, std::min(now + HttpServer::kNiceIncrement, kLowest));
}

void delete_body(void* body) {
  const std::unique_ptr<std::string> owner(static_cast<std::string*>(body));
}

}  // namespace

/// The server's threads. libmicrohttpd runs in the first. Only a server on a Unix socket has the
/// second, for changes.
class HttpServer::Threads {
 public:
  /// `file` names the listening socket; without one it is a TCP socket.
  Threads(files::OpenFile listening, std::optional<UnixSocket> file, Handler handler,
          HttpLimits limits)
      : listening_(std::move(listening)),
        file_(std::move(file)),
        handler_(std::move(handler)),
        limits_(limits) {}
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  bool start();

 private:
  /// A change that waits to be made, or was made.
  struct Change {
    MHD_Connection* connection = nullptr;
    Client* client = nullptr;
    Incoming* incoming = nullptr;
    Request request;
    Response response = {};
  };

  // The first thread.
  void serve();
  void wait();
  void answer_changes();
  void connected(MHD_Connection* connection, void** client);
  MHD_Result answer(MHD_Connection* connection, Request request, Incoming& incoming);
  MHD_Result enqueue(MHD_Connection* connection, Request request, Incoming& incoming);
  MHD_Result send(MHD_Connection* connection, Response response);
  // The second thread.
  void make_changes(const std::stop_token& stop);

  // libmicrohttpd's callbacks; `self` is a Threads.
  static void on_connection(void* self, MHD_Connection* connection, void** client,
                            MHD_ConnectionNotificationCode code);
  static void* on_target(void* self, const char* target, MHD_Connection* connection);
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path,
                               const char* method, const char* version, const char* data,
                               std::size_t* size, void** state);
  static void on_completed(void* self, MHD_Connection* connection, void** state,
                           MHD_RequestTerminationCode code);

  files::OpenFile listening_;
  std::optional<UnixSocket> file_;
  Handler handler_;
  HttpLimits limits_;
  MHD_Daemon* daemon_ = nullptr;
  // Only the first thread touches them.
  ClientList clients_{{limits_.connections, limits_.unread}, [](const Client& client) {
                        // libmicrohttpd sees the end of the connection and closes it.
                        ::shutdown(client.descriptor, SHUT_RDWR);
                      }};
  std::size_t suspended_ = 0;

  WakeUp wake_up_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Change> waiting_;  // under mutex_
  std::vector<Change> made_;    // under mutex_
  std::jthread server_;
  std::jthread changer_;
};

// --- Threads ---

bool HttpServer::Threads::start() {
  // Connections that end do not make way at once for new ones: some room for them.
  daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, on_request, this,
      MHD_OPTION_LISTEN_SOCKET, listening_.get(), MHD_OPTION_CONNECTION_LIMIT,
      2 * limits_.connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, std::size_t{32} << 10U,
      MHD_OPTION_URI_LOG_CALLBACK, on_target, nullptr, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
      this, MHD_OPTION_NOTIFY_COMPLETED, on_completed, this, MHD_OPTION_END);
  if (daemon_ == nullptr) return false;
  listening_.release();  // MHD_stop_daemon() closes it
  if (file_) {
    changer_ = std::jthread([this](const std::stop_token& stop) {
      lower_priority();
      make_changes(stop);
    });
  }
  server_ = std::jthread([this](const std::stop_token& stop) {
    lower_priority();
    const std::stop_callback wake(stop, [this] { wake_up_.send(); });
    while (!stop.stop_requested()) serve();
  });
  return true;
}

HttpServer::Threads::~Threads() {
  if (daemon_ == nullptr) return;
  changer_.request_stop();
  if (changer_.joinable()) changer_.join();
  server_.request_stop();
  server_.join();
  // libmicrohttpd cannot stop while a connection waits for its change.
  for (const Change& change : waiting_) MHD_resume_connection(change.connection);
  for (const Change& change : made_) MHD_resume_connection(change.connection);
  MHD_stop_daemon(daemon_);
}

void HttpServer::Threads::serve() {
  wait();
  answer_changes();
  clients_.close_late(SteadyClock::now());
  MHD_run(daemon_);
}

void HttpServer::Threads::wait() {
  // Without free descriptors libmicrohttpd accepts no connections until a later MHD_run().
  std::int64_t timeout = 1000;
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon_, &milliseconds) == MHD_YES) {
    timeout = static_cast<std::int64_t>(std::min<std::uint64_t>(milliseconds, 1000));
  }
  if (const auto deadline = clients_.next_deadline()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - SteadyClock::now());
    const std::int64_t most = std::max<std::int64_t>(left.count(), 0);
    timeout = std::min(timeout, most);
  }
  const auto* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  std::array<pollfd, 2> watched{{{info->epoll_fd, POLLIN, 0}, {wake_up_.descriptor(), POLLIN, 0}}};
  ::poll(watched.data(), watched.size(), static_cast<int>(timeout));
  wake_up_.consume();
}

void HttpServer::Threads::answer_changes() {
  std::vector<Change> made;
  {
    const std::lock_guard lock(mutex_);
    made.swap(made_);
  }
  for (Change& change : made) {
    change.incoming->response = std::move(change.response);
    change.client->waits = false;
    change.client->deadline = SteadyClock::now() + limits_.time;
    --suspended_;
    MHD_resume_connection(change.connection);
  }
}

void HttpServer::Threads::make_changes(const std::stop_token& stop) {
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
    if (stop.stop_requested()) return;
    Change change = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    change.response = call(handler_, change.request);
    lock.lock();
    made_.push_back(std::move(change));
    lock.unlock();
    wake_up_.send();
  }
}

// --- Requests ---

void HttpServer::Threads::on_connection(void* self, MHD_Connection* connection, void** client,
                                        MHD_ConnectionNotificationCode code) {
  auto& threads = *static_cast<Threads*>(self);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *client = &threads.clients_.add({.descriptor = info->connect_fd,
                                     .owner = owner_of(info->connect_fd),
                                     .deadline = SteadyClock::now() + threads.limits_.time});
  } else {
    threads.clients_.remove(*static_cast<Client*>(*client));
  }
}

/// libmicrohttpd calls it with the path and query, not decoded, and keeps the result as the
/// request's state. Decoded, a %00 would end them.
void* HttpServer::Threads::on_target(void* /*self*/, const char* target, MHD_Connection*) {
  auto incoming = std::make_unique<Incoming>();
  incoming->has_null = std::string_view(target).find("%00") != std::string_view::npos;
  return incoming.release();  // on_completed() deletes it
}

/// libmicrohttpd calls it once with the head of a request, then with each part of its body, then
/// for the response, and for that of a change again when the connection is resumed.
MHD_Result HttpServer::Threads::on_request(void* self, MHD_Connection* connection, const char* path,
                                           const char* method, const char* /*version*/,
                                           const char* data, std::size_t* size, void** state) {
  constexpr std::size_t kMaxIgnored = std::size_t{1} << 20U;  // a longer body ends the connection
  auto& incoming = *static_cast<Incoming*>(*state);
  if (!std::exchange(incoming.has_head, true)) {
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_to_headers, &incoming.headers);
    if (!has_ambiguous_length(incoming.headers)) return MHD_YES;
    Response refused =
        error_response_to(MHD_HTTP_BAD_REQUEST, "the request has more than one length of its body");
    refused.headers["Connection"] = "close";
    return static_cast<Threads*>(self)->send(connection, std::move(refused));
  }
  if (*size > 0) {
    incoming.received += *size;
    if (incoming.received > kMaxIgnored) return MHD_NO;
    if (incoming.received <= kMaxBody) incoming.body.append(data, *size);
    *size = 0;
    return MHD_YES;
  }
  Request request;
  request.method = method;
  request.path = path;
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_to_query, &request.query);
  request.headers = std::move(incoming.headers);
  return static_cast<Threads*>(self)->answer(connection, std::move(request), incoming);
}

MHD_Result HttpServer::Threads::answer(MHD_Connection* connection, Request request,
                                       Incoming& incoming) {
  if (incoming.response) return send(connection, *std::move(incoming.response));
  if (incoming.has_null) {
    return send(connection, error_response_to(MHD_HTTP_BAD_REQUEST, "the path or query has a %00"));
  }
  if (incoming.received > kMaxBody) {
    return send(connection, error_response_to(MHD_HTTP_CONTENT_TOO_LARGE,
                                              "a request's body has at most " +
                                                  std::to_string(kMaxBody) + " bytes"));
  }
  request.body = std::move(incoming.body);
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  request.peer = peer_of(info->connect_fd);
  const bool query = !file_ || request.method == "GET" || request.method == "HEAD";
  if (query) return send(connection, call(handler_, request));
  return enqueue(connection, std::move(request), incoming);
}

MHD_Result HttpServer::Threads::enqueue(MHD_Connection* connection, Request request,
                                        Incoming& incoming) {
  if (suspended_ >= limits_.changes) {
    return send(connection, error_response_to(MHD_HTTP_SERVICE_UNAVAILABLE,
                                              "too many changes are waiting; try again"));
  }
  auto* client = static_cast<Client*>(
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
  client->waits = true;
  ++suspended_;
  MHD_suspend_connection(connection);
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({connection, client, &incoming, std::move(request)});
  }
  changed_.notify_one();
  return MHD_YES;
}

MHD_Result HttpServer::Threads::send(MHD_Connection* connection, Response response) {
  auto* client = static_cast<Client*>(
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
  response = completed(std::move(response), accepted_encodings(connection));
  auto body = std::make_unique<std::string>(std::move(response.body));
  MHD_Response* out = MHD_create_response_from_buffer_with_free_callback_cls(
      body->size(), body->data(), delete_body, body.get());
  if (out == nullptr) return MHD_NO;
  clients_.add_response(*client, body.release()->size());
  MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, response.type.c_str());
  for (const auto& [name, values] : response.headers) {
    std::istringstream lines(values);
    for (std::string value; std::getline(lines, value);) {
      MHD_add_response_header(out, name.c_str(), value.c_str());
    }
  }
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(response.status), out);
  MHD_destroy_response(out);
  return queued;
}

void HttpServer::Threads::on_completed(void* self, MHD_Connection* connection, void** state,
                                       MHD_RequestTerminationCode) {
  const std::unique_ptr<Incoming> owner(static_cast<Incoming*>(*state));
  *state = nullptr;
  auto* client = static_cast<Client*>(
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context);
  client->unread = 0;
  client->deadline = SteadyClock::now() + static_cast<Threads*>(self)->limits_.time;
}

// --- HttpServer ---

HttpServer::HttpServer(std::unique_ptr<Threads> threads) : threads_(std::move(threads)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const std::filesystem::path& path,
                                                       Handler handler, HttpLimits limits) {
  auto socket = UnixSocket::listen(path);
  if (!socket) return fail(socket.error());
  files::OpenFile listening(socket->release());
  return serve(std::make_unique<Threads>(std::move(listening), *std::move(socket),
                                         std::move(handler), limits),
               path.string());
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const TcpAddress& address, Handler handler,
                                                       HttpLimits limits) {
  auto listening = listen_on(address);
  if (!listening) return fail(listening.error());
  return serve(
      std::make_unique<Threads>(*std::move(listening), std::nullopt, std::move(handler), limits),
      address.text());
}

Result<std::unique_ptr<HttpServer>> HttpServer::serve(std::unique_ptr<Threads> threads,
                                                      const std::string& where) {
  errno = 0;
  if (!threads->start()) return fail(cannot_start(where, errno));
  // make_unique cannot call the private constructor.
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(threads)));
}

}  // namespace memcoord::control
