#pragma once
// The routes by which a program that is about to start a guest has memory held for it.

#include "engine/control/http.h"
#include "engine/control/routes.h"
#include "engine/observers/json.h"

namespace memcoord::control {

/// How long a reserve lasts unless the request says so, and at most.
inline constexpr Duration kReserveTime = std::chrono::seconds(60);
inline constexpr Duration kLongestReserve = std::chrono::hours(1);

/// POST /v1/reserve. A second reserve for the same domain replaces the first. The response's
/// `dry_run` says that nothing is reclaimed for it. Its `since` tells the reserve apart from an
/// earlier one for the same domain, which /v1/headroom shows until the next tick.
Response reserve_response(const RouteContext& context, const Request& request,
                          const observers::Json& body);
/// POST /v1/release. A domain without a reserve is no error.
Response release_response(const RouteContext& context, const Request& request,
                          const observers::Json& body);

}  // namespace memcoord::control
