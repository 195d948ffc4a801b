#pragma once
// The routes of the live page, which only read. Sizes are bytes and times Unix seconds, unless
// named otherwise. A figure that is not known is left out.
//
//   GET /v1/live                   the newest tick for people: the run, the host, every domain
//   GET /v1/history                the last hour: the host in bytes, every domain in MiB
//   GET /v1/history?domain=NAME    one domain's hour and its newest moves; NAME may be its UUID
//   GET /v1/headroom?fits=4GiB,8GiB   how much more the host can promise, and its reserves; with
//                                  `fits`, whether these guests fit together
//   GET /v1/fit?size=4GiB          whether one more guest fits, or several: size=4GiB,8GiB
//   GET /v1/what-if?policy=NAME    what another bundled policy would decide on the newest tick
//
// docs/command-line.md describes the responses.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/control/http.h"
#include "engine/control/routes.h"
#include "engine/control/what_if.h"
#include "engine/core/tick.h"
#include "engine/observers/json.h"
#include "engine/observers/memory_use.h"
#include "engine/observers/shortage.h"

namespace memcoord::control {

/// Any thread. The context must outlive it.
class LiveRoutes {
 public:
  explicit LiveRoutes(const RouteContext& context) : context_(context), what_if_(context) {}
  /// Nothing if the path is none of the routes above.
  std::optional<Response> respond(const Request& request);

 private:
  Response live();
  /// Made once a tick, however many clients ask. Under mutex_.
  void evaluate(const RunState::View& view);

  const RouteContext& context_;
  WhatIf what_if_;
  std::mutex mutex_;
  std::weak_ptr<const Tick> tick_;  // under mutex_
  std::string domains_;             // under mutex_: the domains of tick_, as JSON
  observers::HostVerdict verdict_;  // under mutex_: on tick_
};

/// A domain's sizes in bytes: actual, maximum, target, rss, and, if its guest reports, used, cache,
/// free and headroom.
observers::Json sizes_json(const observers::DomainTick& about);

/// /v1/history, of all domains or of one.
Response history_response(const RouteContext& context, const Request& request);
/// No host has more memory.
inline constexpr MemorySize kLargestGuest = MemorySize::from_gib(std::uint64_t{1} << 20U);
/// The maxima of guests: "4GiB", "4GiB,512MiB". Errors: invalid_input, with a hint.
Result<std::vector<MemorySize>> parse_guest_sizes(std::string_view text);
/// /v1/headroom.
Response headroom_response(const RouteContext& context, const Request& request);
/// /v1/fit.
Response fit_response(const RouteContext& context, const Request& request);

}  // namespace memcoord::control
