#pragma once
// Asks many memcoords for their figures at once.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "engine/control/http.h"
#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"
#include "engine/fleet/host_figures.h"
#include "engine/fleet/host_list.h"

namespace memcoord::fleet {

struct HostStatus {
  FleetHost host;
  Result<HostFigures> figures;  ///< or why the host gives none; the error has no object
};

/// Sends requests and returns their responses, in their order: control::send_requests(), or a
/// test's own.
using SendRequests = std::function<std::vector<Result<control::Response>>(
    const std::vector<control::ServerRequest>&, const control::RequestLimits&)>;

struct FleetQuestion {
  std::chrono::milliseconds timeout{std::chrono::seconds(2)};  ///< for each host
  std::filesystem::path token_file = {};  ///< for hosts at URLs without one of their own
};

/// The status of each host, in the order of `hosts`. Every host answers /metrics; a host with a
/// token has to accept it. Reads token files. Calls `now` once, after all answers.
std::vector<HostStatus> ask_fleet(const std::vector<FleetHost>& hosts,
                                  const FleetQuestion& question, const SendRequests& send,
                                  const std::function<WallTime()>& now);

/// The places in `statuses` of hosts that can take a guest with this maximum, best first: those
/// that can now before those that can after reclaiming, and then by what is left over.
std::vector<std::size_t> hosts_that_fit(const std::vector<HostStatus>& statuses,
                                        MemorySize maximum);

/// The places in `statuses` with those in trouble first: without figures, short, tight, others; of
/// the same kind in their order.
std::vector<std::size_t> by_trouble(const std::vector<HostStatus>& statuses);

}  // namespace memcoord::fleet
