#include "engine/fleet/fleet_status.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "engine/control/access_token.h"
#include "engine/core/printable.h"

namespace memcoord::fleet {
namespace {

using control::Request;
using control::Response;
using control::ServerRequest;

/// Responses of a few KiB are usual; a version that does not know domains=off sends more.
constexpr std::size_t kLargestResponse = std::size_t{16} << 20U;

/// The reason alone, for a row that names its host.
Error reason_of(Error error) {
  error.object.clear();
  error.hint.clear();
  return error;
}

/// The place of a host's requests among all.
struct Asked {
  std::optional<std::size_t> metrics;  ///< none: its token cannot be read
  std::optional<std::size_t> token;    ///< none: it has no token
  Error error = {};                    ///< without `metrics`
};

/// Adds the requests to a host to the list.
Asked ask(const FleetHost& host, const FleetQuestion& question,
          std::vector<ServerRequest>& requests) {
  Asked asked;
  control::Server server = host.server;
  const auto& file = host.token_file.empty() ? question.token_file : host.token_file;
  if (server.socket.empty() && !file.empty()) {
    auto token = control::read_token(file);
    if (!token) {
      asked.error = reason_of(token.error());
      asked.error.message = "the token file " + file.string() + ": " + asked.error.message;
      return asked;
    }
    server.token = *std::move(token);
    // memcoord gives its metrics to clients without a token, too: only another path proves it.
    asked.token = requests.size();
    requests.push_back({server, Request{"HEAD", "/v1/status", {}, {}}});
  }
  asked.metrics = requests.size();
  requests.push_back({server, Request{"GET", "/metrics", {{"domains", "off"}}, {}}});
  return asked;
}

tl::unexpected<Error> refused(int status, bool with_token) {
  if (status == 401) {
    return fail(ErrorCode::permission_denied, "",
                with_token ? "refuses the token" : "asks for a token");
  }
  return fail(ErrorCode::internal, "",
              "is no memcoord: /metrics has the status " + std::to_string(status));
}

Result<HostFigures> figures_of(const Asked& asked, const std::vector<Result<Response>>& responses,
                               WallTime now) {
  constexpr int kUnauthorized = 401;
  if (!asked.metrics) return fail(asked.error);
  const Result<Response>& metrics = responses[*asked.metrics];
  if (!metrics) return fail(reason_of(metrics.error()));
  if (asked.token) {
    const Result<Response>& proof = responses[*asked.token];
    if (!proof) return fail(reason_of(proof.error()));
    if (proof->status == kUnauthorized) return refused(kUnauthorized, true);
  }
  if (metrics->status == 200) return figures_in(metrics->body, now);
  // A memcoord says why: a host name that it does not answer to, for example.
  const auto body = control::response_body(*metrics);
  const bool explains = !body && body.error().code != ErrorCode::internal;
  if (explains && metrics->status != kUnauthorized) {
    constexpr std::size_t kLongestReason = 200;
    Error reason = reason_of(body.error());
    reason.message = excerpt(reason.message, kLongestReason);
    return fail(std::move(reason));
  }
  return refused(metrics->status, asked.token.has_value());
}

int trouble_rank(const HostStatus& status) {
  if (!status.figures) return 0;
  if (status.figures->host_state == "short") return 1;
  return status.figures->host_state == "tight" ? 2 : 3;
}

std::vector<std::size_t> all_places(std::size_t count) {
  std::vector<std::size_t> places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

}  // namespace

std::vector<HostStatus> ask_fleet(const std::vector<FleetHost>& hosts,
                                  const FleetQuestion& question, const SendRequests& send,
                                  const std::function<WallTime()>& now) {
  std::vector<ServerRequest> requests;
  std::vector<Asked> asked;
  asked.reserve(hosts.size());
  for (const FleetHost& host : hosts) asked.push_back(ask(host, question, requests));
  const auto responses = send(requests, {question.timeout, kLargestResponse});
  const WallTime moment = now();
  std::vector<HostStatus> statuses;
  statuses.reserve(hosts.size());
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    statuses.push_back({hosts[i], figures_of(asked[i], responses, moment)});
  }
  return statuses;
}

std::vector<std::size_t> hosts_that_fit(const std::vector<HostStatus>& statuses,
                                        MemorySize maximum) {
  std::vector<HostFit> fits(statuses.size());
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].figures) fits[i] = fit_on(*statuses[i].figures, maximum);
  }
  std::vector<std::size_t> places = all_places(statuses.size());
  std::erase_if(places, [&](std::size_t i) { return fits[i].kind == Fit::Kind::no; });
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    if (fits[a].kind != fits[b].kind) return fits[a].kind < fits[b].kind;
    return fits[a].left > fits[b].left;
  });
  return places;
}

std::vector<std::size_t> by_trouble(const std::vector<HostStatus>& statuses) {
  std::vector<std::size_t> places = all_places(statuses.size());
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return trouble_rank(statuses[a]) < trouble_rank(statuses[b]);
  });
  return places;
}

}  // namespace memcoord::fleet
