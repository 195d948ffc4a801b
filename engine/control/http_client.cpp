#include <curl/curl.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/control/http.h"
#include "engine/observers/json.h"

namespace memcoord::control {
namespace {

namespace fs = std::filesystem;

struct CurlCloser {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(char* text) const { curl_free(text); }
};
using Curl = std::unique_ptr<CURL, CurlCloser>;

std::size_t append_body(char* data, std::size_t, std::size_t size, void* body) {
  static_cast<std::string*>(body)->append(data, size);
  return size;
}

std::string escaped(CURL* curl, const std::string& text) {
  const std::unique_ptr<char, CurlCloser> out(
      curl_easy_escape(curl, text.c_str(), static_cast<int>(text.size())));
  return out ? out.get() : "";
}

/// Escapes the parts of the path one by one: its slashes stay.
std::string url_of(CURL* curl, const Request& request) {
  std::string url = "http://memcoord";
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

Error request_error(const fs::path& socket, CURLcode code, long system_code) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return {ErrorCode::timed_out, socket.string(), "memcoord does not answer", "", {}};
  }
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

/// A member that is text; nothing if there is none.
std::optional<std::string> text_of(const observers::Json& json, const std::string& name) {
  const auto member = json.find(name);
  return member && member->is_string() ? std::optional(member->string()) : std::nullopt;
}

}  // namespace

Result<Response> send_request(const fs::path& socket, const Request& request,
                              std::chrono::milliseconds timeout) {
  const Curl curl(curl_easy_init());
  if (!curl) return fail(ErrorCode::internal, "libcurl", "cannot be initialized");
  if (socket.native().size() >= sizeof sockaddr_un().sun_path) {
    return fail(ErrorCode::invalid_input, socket.string(), "is too long for a socket's path");
  }
  Response response;
  const std::string url = url_of(curl.get(), request);
  const std::unique_ptr<curl_slist, CurlCloser> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"));
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PATH_AS_IS, 1L);  // a domain can be named ".."
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &response.body);
  if (request.method != "GET") {
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.c_str());
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    long system_code = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_OS_ERRNO, &system_code);
    return fail(request_error(socket, code, system_code));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  const char* type = nullptr;
  curl_easy_getinfo(curl.get(), CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) response.type = type;
  return response;
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
