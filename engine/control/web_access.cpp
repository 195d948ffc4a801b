#include "engine/control/web_access.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "engine/control/responses.h"
#include "engine/core/printable.h"

namespace memcoord::control {
namespace {

using Reach = TcpAddress::Reach;

Response refuse(int status, const std::string& error, const std::string& hint,
                std::map<std::string, std::string> headers = {}) {
  Response response = error_response_to(status, error, hint);
  response.headers = std::move(headers);
  return response;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

const std::string& header(const Request& request, const std::string& name) {
  static const std::string none;
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? none : found->second;
}

/// Whether it is a colon and the digits of a port. RFC 9110 allows none after the colon.
bool is_port(std::string_view text) {
  return text.starts_with(':') && text.find_first_not_of("0123456789", 1) == text.npos;
}

bool is_name_of(const std::string& name, const WebAccess& access) {
  if (name == "localhost") return true;
  const std::string ip = usual_ip(name);
  // A name can be made to lead here, an IP address cannot.
  if (!ip.empty() && access.address.reach() == Reach::every_address) return true;
  if (!ip.empty() && ip == access.address.ip) return true;
  const auto& hosts = access.hosts;
  return std::find(hosts.begin(), hosts.end(), ip.empty() ? name : ip) != hosts.end();
}

std::optional<Response> check_host(const Request& request, const WebAccess& access) {
  const std::string& host = header(request, "host");
  if (host.empty()) {
    return refuse(400, "the request has no Host header", "use a client of HTTP/1.1");
  }
  const auto name = host_name(host);
  if (!name) {
    return refuse(400, printable(host, 100) + " is not one host with a port",
                  "send one Host header, as localhost:9798");
  }
  if (is_name_of(*name, access)) return std::nullopt;
  const std::string shown = printable(*name, 100);
  return refuse(421, shown + " is not a name of this server",
                "if this is a name of the host, start memcoord with --metrics-host NAME");
}

/// Whether a page of another site sent the request.
bool is_of_other_site(const Request& request) {
  const std::string& site = header(request, "sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::string& origin = header(request, "origin");
  if (origin.empty()) return false;
  const std::size_t scheme = origin.find("://");
  return scheme == std::string::npos ||
         lower_case(origin.substr(scheme + 3)) != lower_case(header(request, "host"));
}

/// The value of a digit of Base64; none for another character.
std::optional<unsigned> base64_digit(char c) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t digit = kDigits.find(c);
  if (digit == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(digit);
}

/// The bytes up to the first character that is no digit of Base64.
std::string decoded_base64(std::string_view text) {
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = base64_digit(c);
    if (!digit) break;
    bits = (bits << 6U | *digit) & 0xFFFFU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
  }
  return bytes;
}

/// The token in an Authorization header; empty without one.
std::string sent_token(std::string_view authorization) {
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string scheme = lower_case(authorization.substr(0, space));
  std::string_view value = authorization.substr(space);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  if (scheme == "bearer") return std::string(value);
  if (scheme != "basic") return {};
  const std::string pair = decoded_base64(value);
  const std::size_t colon = pair.find(':');
  return colon == std::string::npos ? std::string() : pair.substr(colon + 1);
}

/// Compares in a time that depends on the length of `sent` only, so that no client finds the token
/// character by character.
bool is_token(std::string_view sent, std::string_view token) {
  if (token.empty()) return false;
  unsigned difference = sent.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const char expected = token[i % token.size()];
    difference |= static_cast<unsigned char>(sent[i]) ^ static_cast<unsigned char>(expected);
  }
  return difference == 0;
}

std::optional<Response> check_token(const Request& request, const WebAccess& access) {
  if (request.path == "/metrics") return std::nullopt;
  if (access.token) {
    const std::string& authorization = header(request, "authorization");
    if (is_token(sent_token(authorization), access.token())) return std::nullopt;
    return refuse(401,
                  authorization.empty() ? "this path needs the token"
                                        : "this is not the token that memcoord expects",
                  "send 'Authorization: Bearer TOKEN', or the token as the password of any user; "
                  "it is in the file that --metrics-token names",
                  {{"WWW-Authenticate",
                    "Bearer realm=\"memcoord\"\n"
                    "Basic realm=\"memcoord\", charset=\"UTF-8\""}});
  }
  if (access.address.reach() == Reach::loopback) return std::nullopt;
  return refuse(403, "this address serves /metrics only",
                "start memcoord with --metrics-token FILE to serve the other paths too");
}

}  // namespace

std::optional<std::string> host_name(std::string_view host) {
  const bool brackets = host.starts_with('[');
  const std::size_t end = brackets ? host.find(']') : std::min(host.find(':'), host.size());
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view port = host.substr(end + (brackets ? 1 : 0));
  if (!port.empty() && !is_port(port)) return std::nullopt;
  std::string name = lower_case(host.substr(brackets ? 1 : 0, end - (brackets ? 1 : 0)));
  if (!brackets && name.ends_with('.')) name.pop_back();
  const auto fits = [brackets](char c) {
    return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '.' ||
           (brackets ? c == ':' || c == '%' : c == '-' || c == '_');
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), fits)) return std::nullopt;
  return name;
}

std::optional<Response> refusal(const Request& request, const WebAccess& access) {
  if (auto refused = check_host(request, access)) return refused;
  if (request.method != "GET" && request.method != "HEAD") {
    return refuse(
        405,
        "nothing is changed over TCP, and " + printable(request.method, 20) + " is not answered",
        "use GET or HEAD here, and the control socket for changes", {{"Allow", "GET, HEAD"}});
  }
  if (request.path.starts_with("/v1") && is_of_other_site(request)) {
    return refuse(403, "a page of another site may not read this", "open memcoord's own page");
  }
  return check_token(request, access);
}

Handler restricted(Handler handler, WebAccess access) {
  return [handler = std::move(handler), access = std::move(access)](const Request& request) {
    auto refused = refusal(request, access);
    return refused ? *std::move(refused) : handler(request);
  };
}

}  // namespace memcoord::control
