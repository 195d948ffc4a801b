#include <curl/curl.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/control/http.h"
#include "engine/observers/json.h"

namespace memcoord::control {
namespace {

namespace fs = std::filesystem;

template <auto close>
struct CurlCloser {
  template <class Handle>
  void operator()(Handle* handle) const {
    close(handle);
  }
};
using Curl = std::unique_ptr<CURL, CurlCloser<curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, CurlCloser<curl_multi_cleanup>>;
using CurlUrl = std::unique_ptr<CURLU, CurlCloser<curl_url_cleanup>>;
using CurlHeaders = std::unique_ptr<curl_slist, CurlCloser<curl_slist_free_all>>;
using CurlText = std::unique_ptr<char, CurlCloser<curl_free>>;

std::string escaped(CURL* curl, const std::string& text) {
  const CurlText out(curl_easy_escape(curl, text.c_str(), static_cast<int>(text.size())));
  return out ? out.get() : "";
}

/// Escapes the parts of the path one by one: its slashes stay.
std::string url_of(CURL* curl, const Server& server, const Request& request) {
  std::string url = server.url.empty() ? "http://memcoord" : server.url;
  for (std::size_t at = 0; at < request.path.size();) {
    const std::size_t end = std::min(request.path.find('/', at + 1), request.path.size());
    url += "/" + escaped(curl, request.path.substr(at + 1, end - at - 1));
    at = end;
  }
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    url += separator + escaped(curl, name) + "=" + escaped(curl, value);
    separator = '&';
  }
  return url;
}

/// Whether the server has closed the connection, or has too many of them.
bool is_cut_off(CURLcode code, long system_code) {
  if (code == CURLE_COULDNT_CONNECT) {
    return system_code != ENOENT && system_code != ENOTDIR && system_code != ECONNREFUSED;
  }
  return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
         code == CURLE_PARTIAL_FILE;
}

Error control_socket_error(const fs::path& socket, CURLcode code, long system_code) {
  if (system_code == EACCES || system_code == EPERM) {
    return {ErrorCode::permission_denied,
            socket.string(),
            "the control socket refuses this user",
            "use sudo, or join the group of the socket",
            {}};
  }
  if (is_cut_off(code, system_code)) {
    return {
        ErrorCode::unavailable, socket.string(), "memcoord ended the connection", "try again", {}};
  }
  if (code == CURLE_COULDNT_CONNECT) {
    return {ErrorCode::unavailable,
            socket.string(),
            "no memcoord runs here",
            "start it with 'systemctl start memcoord', or give the control socket of a run with "
            "--control PATH",
            {}};
  }
  return {ErrorCode::internal, socket.string(), curl_easy_strerror(code), "", {}};
}

Error address_error(const std::string& url, CURLcode code, long system_code) {
  if (code == CURLE_COULDNT_RESOLVE_HOST) {
    return {ErrorCode::unavailable, url, "the host's name has no address", "", {}};
  }
  if (code == CURLE_COULDNT_CONNECT) {
    const std::string reason =
        system_code == 0 ? ""
                         : ": " + std::generic_category().message(static_cast<int>(system_code));
    return {ErrorCode::unavailable, url, "cannot be reached" + reason, "", {}};
  }
  if (is_cut_off(code, system_code)) {
    return {ErrorCode::unavailable, url, "the server ended the connection", "", {}};
  }
  return {ErrorCode::unavailable, url, curl_easy_strerror(code), "", {}};
}

/// One request and its response.
class Transfer {
 public:
  /// Nothing here may move: libcurl keeps its address.
  Transfer(const Server& server, const Request& request, const RequestLimits& limits);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Null if libcurl has no memory.
  [[nodiscard]] CURL* handle() const { return curl_.get(); }
  /// After its end. `code`: how it ended.
  Result<Response> result(CURLcode code);

 private:
  static std::size_t append_body(char* data, std::size_t, std::size_t size, void* transfer);
  void add_header(const std::string& header);
  [[nodiscard]] Error error_of(CURLcode code) const;

  Server server_;
  Request request_;
  RequestLimits limits_;
  Curl curl_{curl_easy_init()};
  CurlHeaders headers_;
  Response response_;
};

Transfer::Transfer(const Server& server, const Request& request, const RequestLimits& limits)
    : server_(server), request_(request), limits_(limits) {
  CURL* const curl = handle();
  if (curl == nullptr) return;
  const bool has_body = request.method != "GET" && request.method != "HEAD";
  if (has_body) add_header("Content-Type: application/json");
  if (!server.token.empty()) add_header("Authorization: Bearer " + server.token);
  const std::string url = url_of(curl, server, request);
  if (!server.socket.empty()) {
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, server.socket.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);  // a domain can be named ".."
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // no wait for a name server that is silent
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.time.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_.get());
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(request_.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
}

void Transfer::add_header(const std::string& header) {
  curl_slist* const list = curl_slist_append(headers_.get(), header.c_str());
  if (!headers_) headers_.reset(list);  // later entries leave the list's beginning where it is
}

std::size_t Transfer::append_body(char* data, std::size_t, std::size_t size, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  if (size > self.limits_.most_bytes - self.response_.body.size()) return 0;  // CURLE_WRITE_ERROR
  self.response_.body.append(data, size);
  return size;
}

Error Transfer::error_of(CURLcode code) const {
  const std::string& where = server_.socket.empty() ? server_.url : server_.socket.native();
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return {ErrorCode::timed_out, where, "memcoord does not answer", "", {}};
  }
  if (code == CURLE_WRITE_ERROR) {
    return {ErrorCode::limit_exceeded, where, "the response is too long", "", {}};
  }
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY) {
    return {ErrorCode::internal, where, "is no memcoord: the server does not speak HTTP", "", {}};
  }
  long system_code = 0;
  curl_easy_getinfo(handle(), CURLINFO_OS_ERRNO, &system_code);
  return server_.socket.empty() ? address_error(where, code, system_code)
                                : control_socket_error(where, code, system_code);
}

Result<Response> Transfer::result(CURLcode code) {
  if (code != CURLE_OK) return fail(error_of(code));
  long status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  const char* type = nullptr;
  curl_easy_getinfo(handle(), CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) response_.type = type;
  return std::move(response_);
}

tl::unexpected<Error> no_libcurl() {
  return fail(ErrorCode::internal, "libcurl", "cannot be initialized");
}

/// The error for a socket's path that no socket can have.
Status check_path(const Server& server) {
  if (server.socket.native().size() < sizeof sockaddr_un().sun_path) return {};
  return fail(ErrorCode::invalid_input, server.socket.string(), "is too long for a socket's path");
}

/// Transfers that run at the same time, a bounded number of them.
class ParallelTransfers {
 public:
  ParallelTransfers(const std::vector<ServerRequest>& requests, const RequestLimits& limits)
      : requests_(requests),
        limits_(limits),
        transfers_(requests.size()),
        results_(requests.size(), no_libcurl()) {}
  std::vector<Result<Response>> run();

 private:
  void start_next();
  void finish(CURL* curl, CURLcode code);

  const std::vector<ServerRequest>& requests_;
  const RequestLimits& limits_;
  CurlMulti multi_{curl_multi_init()};
  std::vector<std::unique_ptr<Transfer>> transfers_;  ///< those that run
  std::vector<Result<Response>> results_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
};

void ParallelTransfers::start_next() {
  const std::size_t i = next_++;
  const ServerRequest& request = requests_[i];
  if (const Status usable = check_path(request.server); !usable) {
    results_[i] = fail(usable.error());
    return;
  }
  auto transfer = std::make_unique<Transfer>(request.server, request.request, limits_);
  if (transfer->handle() == nullptr) return;
  if (curl_multi_add_handle(multi_.get(), transfer->handle()) != CURLM_OK) return;
  transfers_[i] = std::move(transfer);
  ++running_;
}

void ParallelTransfers::finish(CURL* curl, CURLcode code) {
  const auto at = std::find_if(transfers_.begin(), transfers_.end(),
                               [curl](const auto& one) { return one && one->handle() == curl; });
  if (at == transfers_.end()) return;
  const auto i = static_cast<std::size_t>(at - transfers_.begin());
  results_[i] = (*at)->result(code);
  curl_multi_remove_handle(multi_.get(), curl);
  at->reset();
  --running_;
}

std::vector<Result<Response>> ParallelTransfers::run() {
  constexpr int kLongestWait = 1000;  // libcurl wakes up for its own time limits
  while (multi_ && (next_ < requests_.size() || running_ > 0)) {
    while (next_ < requests_.size() && running_ < kMostParallelRequests) start_next();
    int running = 0;
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) break;
    int left = 0;
    bool ended = false;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      finish(message->easy_handle, message->data.result);
      ended = true;
    }
    if (!ended && running > 0) {
      curl_multi_poll(multi_.get(), nullptr, 0, kLongestWait, nullptr);
    }
  }
  for (const auto& transfer : transfers_) {
    if (transfer) curl_multi_remove_handle(multi_.get(), transfer->handle());
  }
  return std::move(results_);
}

/// A part of a URL; empty if it has none.
std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  const CURLUcode code = curl_url_get(url, part, &text, 0);
  const CurlText owned(text);
  return code == CURLUE_OK && text != nullptr ? text : "";
}

/// A member that is text; nothing if there is none.
std::optional<std::string> text_of(const observers::Json& json, const std::string& name) {
  const auto member = json.find(name);
  return member && member->is_string() ? std::optional(member->string()) : std::nullopt;
}

}  // namespace

Result<Response> send_request(const fs::path& socket, const Request& request,
                              std::chrono::milliseconds timeout) {
  const Server server{socket, {}, {}};
  if (const Status usable = check_path(server); !usable) return fail(usable.error());
  Transfer transfer(server, request, {.time = timeout});
  if (transfer.handle() == nullptr) return no_libcurl();
  return transfer.result(curl_easy_perform(transfer.handle()));
}

std::vector<Result<Response>> send_requests(const std::vector<ServerRequest>& requests,
                                            const RequestLimits& limits) {
  return ParallelTransfers(requests, limits).run();
}

Result<std::string> server_url(const std::string& text) {
  constexpr auto kBad = ErrorCode::invalid_input;
  constexpr const char* kHint = "expected http://HOST:PORT";
  const CurlUrl url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return fail(kBad, "", "is not a URL", kHint);
  }
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return fail(kBad, "", "is not a URL of http or https", kHint);
  }
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty()) {
    return fail(kBad, "", "has a user or a password", "give the token in a file");
  }
  if (text.find_first_of("?#") != std::string::npos) {
    return fail(kBad, "", "has a query or a fragment", kHint);
  }
  std::string whole = part_of(url.get(), CURLUPART_URL);
  while (whole.ends_with('/')) whole.pop_back();
  return whole;
}

Result<std::string> response_body(Response response) {
  if (response.status == 200) return std::move(response.body);
  const auto body = observers::Json::parse(response.body);
  auto message = body ? text_of(*body, "error") : std::nullopt;
  if (!message) {
    return fail(ErrorCode::internal, "",
                "unexpected response, status " + std::to_string(response.status));
  }
  Error error;
  error.code = response.status < 500 ? ErrorCode::invalid_input : ErrorCode::unavailable;
  error.message = *std::move(message);
  error.hint = text_of(*body, "hint").value_or("");
  return fail(std::move(error));
}

Result<std::string> done_text(const std::string& body, const fs::path& socket) {
  const auto json = observers::Json::parse(body);
  auto text = json ? text_of(*json, "done") : std::nullopt;
  if (text) return *std::move(text);
  return fail(ErrorCode::internal, socket.string(),
              "is not a memcoord's control socket: unexpected response");
}

}  // namespace memcoord::control
