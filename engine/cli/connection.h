#pragma once
// From --connect to a hypervisor and the clock that goes with it.

#include <functional>
#include <memory>
#include <string>

#include "engine/cli/run_options.h"
#include "engine/cli/signals.h"
#include "engine/core/error.h"
#include "engine/core/hypervisor.h"
#include "engine/core/time.h"

namespace memcoord::cli {

/// An open hypervisor, real or simulated, and its time.
struct Connection {
  std::shared_ptr<Clock> clock;  ///< the machine's, or a virtual one; outlives the hypervisor
  std::unique_ptr<Hypervisor> hypervisor;
  std::function<bool()> over;  ///< whether nothing more can come
};

/// Opens what the options name. The signals outlive the connection. Errors: those of
/// libvirt::open() and of loading a scenario; invalid_input for --fast on a real host.
Result<Connection> open_connection(const RunOptions& options, Duration interval, Signals& signals);

}  // namespace memcoord::cli
