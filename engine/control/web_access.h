#pragma once
// What clients over TCP may do.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/control/http.h"
#include "engine/control/tcp_address.h"

namespace memcoord::control {

/// The rules of one server.
struct WebAccess {
  TcpAddress address;                       ///< that it listens on
  std::vector<std::string> hosts = {};      ///< further names of it, in lower case
  std::function<std::string()> token = {};  ///< the present token; empty if none is needed
};

/// Refuses a request, or lets it pass:
/// - Host names the address, localhost or one of the hosts (any IP address if the server listens on
///   every address), so that no page of another site reaches the server by a name of its own (DNS
///   rebinding). Otherwise the status is 421, or 400 without exactly one well-formed Host.
/// - The method is GET or HEAD (405).
/// - The paths under /v1 are not for pages of other sites, by Origin and Sec-Fetch-Site (403).
/// - /metrics needs no token. Every other path needs the token, as a bearer token or as the
///   password of a user of any name (401). Without a token, it needs a loopback address (403).
/// Errors are JSON, as those of the routes.
std::optional<Response> refusal(const Request& request, const WebAccess& access);

/// A handler that passes requests on to `handler` if the rules allow it.
Handler restricted(Handler handler, WebAccess access);

/// The name in the value of a Host header, in lower case, without port, brackets and last dot. None
/// if the value is not one name or IP address, alone or with a port.
std::optional<std::string> host_name(std::string_view host);

}  // namespace memcoord::control
