#pragma once
// The routes of the control socket: they read the run's state and queue changes.
//
//   GET  /v1/status
//   GET  /v1/domains               the names of the active domains
//   GET  /v1/domains/NAME          explains the domain; NAME may be its UUID
//   GET  /v1/events?seconds=N&until=M&domain=NAME   from N to M seconds ago:
//                                  {"since": ..., "complete": true, "events": [...]}
//   GET  /v1/tick                  the newest tick, as in the journal
//   GET  /metrics                  for Prometheus, in the format that the client prefers;
//                                  domains=off leaves out the families about single domains
//   GET  / and its files           the live page (engine/page/page.h)
//   POST /v1/pause                 {"domain": "web", "seconds": 600}, both optional
//   POST /v1/resume                {"domain": "web"}, optional
//   POST /v1/policy                {"name": "band", "set": {"low": "120MiB"}, "fallback": false};
//                                  with "fallback": true, "none" ends the use of a fallback policy
//   POST /v1/reload                {}
//   POST /v1/dry-run               {"on": true}
//   POST /v1/reserve               {"name": "web", "bytes": 1073741824}; optional: uuid, seconds
//   POST /v1/release               {"name": "web"}; NAME may be its UUID
//
// The routes of the live page are in live.h: GET /v1/live, /v1/history, /v1/headroom, /v1/fit,
// /v1/what-if.
//
// GET with as=text returns text for people. An error is JSON, {"error": ..., "hint": ...}, with the
// status 400, 403, 404, 405, 409 or 503. A POST with an Origin header, as browsers send, is
// refused.

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/control/http.h"
#include "engine/control/run_history.h"
#include "engine/control/run_state.h"
#include "engine/core/error.h"
#include "engine/core/policy.h"
#include "engine/core/time.h"
#include "engine/files/open_file.h"
#include "engine/observers/json.h"

namespace memcoord::control {

/// What the routes work on.
struct RouteContext {
  const RunState& state;
  ChangeQueue& changes;
  std::string version;
  std::string connection;  ///< "qemu:///system"
  Duration interval{};
  WallTime started_at{};
  bool local_time = true;  ///< times in texts; otherwise UTC
  std::function<WallTime()> now;
  /// Loads a policy and checks it, from a file that is readable to these. Errors are for people.
  using LoadPolicy = std::function<Result<std::unique_ptr<Policy>>(
      const std::string& name, const std::map<std::string, std::string>& settings,
      files::Readable readable)>;
  LoadPolicy load_policy = {};
  LoadPolicy load_fallback = {};
  /// Loads the run's policy again. Errors are for people.
  std::function<Result<std::unique_ptr<Policy>>()> reload_policy = {};
  /// The text of /metrics, in Prometheus' or OpenMetrics' format, with or without families about
  /// single domains. Called in the server's threads. Empty: there is no such path.
  std::function<std::string(bool openmetrics, bool domains)> metrics = {};
  /// Another number whenever the metrics change, so that a text serves all requests until then.
  /// Empty: the text is made for each request.
  std::function<std::uint64_t()> metrics_revision = {};
  /// A file of the live page by its path; no value for another path. Without it there is no page.
  std::function<std::optional<Response>(std::string_view path)> page = {};
  /// How long a request waits for the loop to make its change, so that the response has the result.
  Duration patience = std::chrono::seconds(1);
  const RunHistory* history = nullptr;     ///< null: the run keeps none
  std::vector<std::string> policies = {};  ///< the names of the bundled policies
  /// Loads a policy of `policies` with the sandbox's default limits. Errors are for people.
  std::function<Result<std::unique_ptr<Policy>>(const std::string& name)> load_bundled = {};
};

/// Responds to requests, in any thread. The context must outlive the handler.
Handler make_handler(const RouteContext& context);

/// GET /metrics (metrics_route.cpp). Keeps the newest responses, compressed ones too: one of each
/// format, with and without domains. Any thread may call it.
class MetricsRoute {
 public:
  Response respond(const RouteContext& context, const Request& request);

 private:
  struct Form {
    bool openmetrics = false;
    bool domains = true;
    bool compressed = false;
    auto operator<=>(const Form&) const = default;
  };
  std::mutex mutex_;
  std::uint64_t revision_ = 0;       // under mutex_
  std::map<Form, Response> newest_;  // under mutex_; of revision_
};
/// Whether an Accept header prefers OpenMetrics' format to Prometheus'.
bool prefers_openmetrics(std::string_view accept);

// The state of the run at a glance (status.cpp).
std::string status_text(const RouteContext& context);
observers::Json status_json(const RouteContext& context);

}  // namespace memcoord::control
