#include "engine/cli/connection.h"

#include <algorithm>

#include "engine/cli/system_clock.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"

namespace memcoord::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSimulated = "sim:";

libvirt::LibvirtOptions libvirt_options(const RunOptions& options, Duration interval) {
  libvirt::LibvirtOptions result;
  if (options.dry_run) result.access = libvirt::Access::read_write_if_allowed;
  result.deadline = std::clamp<Duration>(interval / 2, 100ms, 500ms);
  result.lanes = options.lanes;
  // Several reports a tick, so that a move is seen to have arrived by the next one.
  const auto quarter = std::chrono::duration_cast<std::chrono::seconds>(interval / 4);
  result.period = std::clamp<std::chrono::seconds>(quarter, 1s, 10s);
  return result;
}

Result<Connection> open_libvirt(const RunOptions& options, Duration interval, Signals& signals) {
  if (options.fast) {
    return fail(ErrorCode::invalid_input, "--fast", "only simulated hosts can go faster than time",
                "add --connect sim:");
  }
  // libvirt may take its time to give up; there is nothing yet to put back.
  const Signals::LeaveAtOnce leave(signals);
  const std::string uri = options.connect.value_or(libvirt::default_uri());
  auto hypervisor = libvirt::open(uri, libvirt_options(options, interval));
  if (!hypervisor) return fail(hypervisor.error());
  Connection connection;
  connection.own_clock = std::make_unique<SystemClock>(signals);
  connection.clock = connection.own_clock.get();
  connection.hypervisor = *std::move(hypervisor);
  connection.over = [] { return false; };
  return connection;
}

}  // namespace

Result<Connection> open_connection(const RunOptions& options, Duration interval, Signals& signals) {
  if (!options.connect.value_or("").starts_with(kSimulated)) {
    return open_libvirt(options, interval, signals);
  }
  return fail(ErrorCode::unsupported, *options.connect, "no simulated hosts yet");
}

}  // namespace memcoord::cli
