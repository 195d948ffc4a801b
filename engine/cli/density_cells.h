#pragma once
// The output of memcoord density about single orders on single hosts.

#include <cstddef>
#include <string>

#include "engine/cli/sweep.h"
#include "engine/core/screen_text.h"
#include "engine/observers/json.h"
#include "engine/workbench/density.h"

namespace memcoord::cli {

/// Adds --hosts.
void add_hosts_option(Command& command, workbench::DensityOptions& density);

/// The identity of a density sweep.
std::string density_sweep_id(const WorkbenchOptions& workbench, const std::string& policy_name,
                             const bindings::LuaPolicy& policy, const workbench::Trace& trace,
                             const workbench::DensityOptions& density);
/// A row for each order on each host.
void print_density_cells(const workbench::DensityResult& result,
                         const workbench::DensityOptions& density, const std::string& sweep);

/// "on 4 hosts of 16 GiB each"; "on a host of 16 GiB".
std::string on_hosts_text(const std::string& host, std::size_t hosts);
/// A table with a row for each host: the domains that it serves, over all orders. Says so if all
/// hosts together serve every domain. Nothing for one host.
void print_each_host(const workbench::DensityResult& result, std::size_t hosts, TextOut out,
                     bool colored);
/// The domains and baselines of each host in one order.
observers::Json hosts_json(const workbench::DensityResult& result, std::size_t order);

}  // namespace memcoord::cli
