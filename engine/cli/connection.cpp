#include "engine/cli/connection.h"

#include <algorithm>
#include <utility>

#include "engine/cli/bundled_files.h"
#include "engine/cli/system_clock.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"
#include "engine/hypervisor/simulated/simulated_hypervisor.h"
#include "engine/workbench/scenario_file.h"

namespace memcoord::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSimulated = "sim:";
constexpr const char* kDefaultScenario = "case1";

libvirt::LibvirtOptions libvirt_options(const RunOptions& options, Duration interval) {
  libvirt::LibvirtOptions result;
  if (options.dry_run) result.access = libvirt::Access::read_write_if_allowed;
  result.deadline = std::clamp<Duration>(interval / 2, 100ms, 500ms);
  result.lanes = options.lanes;
  result.interval = interval;
  result.keep_periods = options.keep_periods;
  result.units = options.limits.units;
  result.period = statistics_period(interval);
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
  if (!hypervisor) {
    Error error = hypervisor.error();
    if (error.code == ErrorCode::unavailable) {
      error.hint += "; or watch it at work on a simulated host: --connect sim:case1";
    }
    return fail(std::move(error));
  }
  Connection connection;
  connection.clock = std::make_unique<SystemClock>(signals);
  connection.hypervisor = *std::move(hypervisor);
  connection.over = [] { return false; };
  return connection;
}

Result<Connection> open_simulated(const RunOptions& options, Duration interval, Signals& signals) {
  const std::string scenario_name = options.connect->substr(kSimulated.size());
  const BundledFiles scenarios(BundledKind::scenario, data_directories());
  const auto path = scenarios.find(scenario_name.empty() ? kDefaultScenario : scenario_name);
  if (!path) return fail(path.error());
  auto scenario = workbench::load_scenario(*path);
  if (!scenario) return fail(scenario.error());
  Connection connection;
  if (options.fast) {
    connection.clock = std::make_unique<simulated::VirtualClock>();
  } else {
    connection.clock = std::make_unique<SystemClock>(signals);
  }
  if (!options.keep_periods) simulated::shorten_periods(*scenario, interval);
  auto hypervisor = std::make_unique<simulated::SimulatedHypervisor>(
      *std::move(scenario), *connection.clock, options.limits.host_floor);
  connection.over = [simulated = hypervisor.get()] { return simulated->finished(); };
  connection.hypervisor = std::move(hypervisor);
  return connection;
}

}  // namespace

Result<Connection> open_connection(const RunOptions& options, Duration interval, Signals& signals) {
  const bool simulated = options.connect.value_or("").starts_with(kSimulated);
  return simulated ? open_simulated(options, interval, signals)
                   : open_libvirt(options, interval, signals);
}

}  // namespace memcoord::cli
