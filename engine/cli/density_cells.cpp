#include "engine/cli/density_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/cli/command.h"
#include "engine/core/text_table.h"
#include "engine/core/time.h"

namespace memcoord::cli {
namespace {

using workbench::DensityCell;
using workbench::DensityOptions;
using workbench::DensityResult;

std::string cell_row(const DensityCell& cell) {
  const workbench::DensityOrder& figures = cell.figures;
  return fmt::format("{},{},{},{},{},{}{}", cell.order + 1, cell.host + 1, figures.vms,
                     figures.static_sizing, figures.instant, figures.bound,
                     score_fields(figures.score));
}

}  // namespace

void add_hosts_option(Command& command, DensityOptions& density) {
  add_option(
      command,
      {"--hosts", "N",
       "N hosts of that size; each domain goes to the host with the least provisioned memory "
       "so far; default 1"},
      into(density.hosts, [](const std::string& text) {
        return parse_whole_number(text, {1, 10'000});
      }));
}

std::string density_sweep_id(const WorkbenchOptions& workbench, const std::string& policy_name,
                             const bindings::LuaPolicy& policy, const workbench::Trace& trace,
                             const DensityOptions& density) {
  workbench::SweepId id = sweep_id(workbench);
  add_to_sweep(id, policy_name, policy);
  add_to_sweep(id, trace);
  id.add(fmt::format("{} {} {} {} {} {} {} {} {}", density.host.kib(), density.hosts,
                     density.stalled, density.footprint.count(), static_cast<int>(density.shape),
                     density.orders, density.seed, density.vms, density.fill));
  return id.text();
}

void print_density_cells(const DensityResult& result, const DensityOptions& density,
                         const std::string& sweep) {
  print_sweep(
      {.command = "density",
       .id = sweep,
       .heading = "order,host,vms,static,instant,bound" + score_heading(),
       .rows = density.orders * density.hosts,
       .row = [&](std::size_t cell) { return cell_row(result.cells[cell / density.shard.count]); }},
      density.shard);
}

std::string on_hosts_text(const std::string& host, std::size_t hosts) {
  return hosts == 1 ? "on a host of " + host : fmt::format("on {} hosts of {} each", hosts, host);
}

void print_each_host(const DensityResult& result, std::size_t hosts, TextOut out, bool colored) {
  if (hosts == 1) return;
  constexpr auto kRight = TextTable::Align::right;
  TextTable table({{"HOST"}, {"MEAN", kRight}, {"MIN", kRight}, {"MAX", kRight}});
  for (std::size_t host = 0; host < hosts; ++host) {
    std::vector<std::size_t> vms;
    std::size_t sum = 0;
    for (const DensityCell& cell : result.cells) {
      if (cell.host != host) continue;
      vms.push_back(cell.figures.vms);
      sum += cell.figures.vms;
    }
    if (vms.empty()) continue;
    const auto [least, most] = std::minmax_element(vms.begin(), vms.end());
    table.add_row(
        {std::to_string(host + 1),
         fmt::format("{:.1f}", static_cast<double>(sum) / static_cast<double>(vms.size())),
         std::to_string(*least), std::to_string(*most)});
  }
  out << '\n';
  table.print(out, colored);
  const bool all_served =
      std::all_of(result.orders.begin(), result.orders.end(),
                  [&](const auto& order) { return order.vms == result.available; });
  if (all_served) out << '\n' << "every domain is served: fewer hosts may do" << '\n';
}

observers::Json hosts_json(const DensityResult& result, std::size_t order) {
  auto hosts = observers::Json::array();
  for (const DensityCell& cell : result.cells) {
    if (cell.order != order) continue;
    hosts.push_back(observers::Json::object({{"vms", cell.figures.vms},
                                             {"static", cell.figures.static_sizing},
                                             {"instant", cell.figures.instant},
                                             {"bound", cell.figures.bound}}));
  }
  return hosts;
}

}  // namespace memcoord::cli
