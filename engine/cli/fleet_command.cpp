// memcoord fleet status: one table over the memcoords of many hosts.

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/system_time.h"
#include "engine/cli/terminal.h"
#include "engine/core/host_stack.h"
#include "engine/core/text_table.h"
#include "engine/fleet/fleet_status.h"
#include "engine/observers/amounts.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

using fleet::HostFigures;
using fleet::HostStatus;
using observers::Json;

struct FleetOptions {
  std::vector<std::string> hosts;
  std::string token_file;
  Duration timeout = std::chrono::seconds(2);
  std::optional<MemorySize> fits;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
  Units units = Units::automatic;
};

/// Every host takes a connection, and 1,024 open files are the usual limit.
void allow_many_connections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 65536));
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string size_cell(const std::optional<MemorySize>& size, Units units) {
  return size ? size->text(units) : "-";
}

std::vector<std::string> status_cells(const HostStatus& status, Units units) {
  if (!status.figures) {
    return {status.host.name,
            "-",
            "-",
            "-",
            "-",
            "-",
            "-",
            "-",
            "-",
            "-",
            status.figures.error().text()};
  }
  const HostFigures& figures = *status.figures;
  return {status.host.name,
          state_text(figures),
          figures.policy.empty() ? "-" : figures.policy,
          figures.version,
          figures.total.text(units),
          size_cell(figures.committed, units),
          size_cell(figures.shortfall, units),
          figures.grantable.text(units),
          size_cell(figures.headroom, units),
          std::to_string(figures.domains),
          shortage_text(figures, units)};
}

/// "200 hosts: 198 answer, with 50 TiB, 41 TiB committed and 6 TiB grantable".
std::string sum_text(const std::vector<HostStatus>& statuses, Units units) {
  MemorySize total;
  MemorySize committed;
  MemorySize grantable;
  std::size_t answers = 0;
  for (const HostStatus& status : statuses) {
    if (!status.figures) continue;
    ++answers;
    total += status.figures->total;
    committed += status.figures->committed.value_or(MemorySize());
    grantable += status.figures->grantable;
  }
  std::string text =
      fmt::format("{}, {} without figures", observers::counted(statuses.size(), "host"),
                  statuses.size() - answers);
  if (answers == 0) return text;
  return text + fmt::format("; {}, {} committed, {} grantable", total.text(units),
                            committed.text(units), grantable.text(units));
}

void print_status(const std::vector<HostStatus>& statuses, const FleetOptions& options) {
  constexpr auto kRight = TextTable::Align::right;
  TextTable table({{"HOST"},
                   {"STATE"},
                   {"POLICY"},
                   {"VERSION"},
                   {"TOTAL", kRight},
                   {"COMMITTED", kRight},
                   {"SHORTFALL", kRight},
                   {"GRANTABLE", kRight},
                   {"HEADROOM", kRight},
                   {"DOMAINS", kRight},
                   {"PROBLEM"}});
  for (const std::size_t i : fleet::by_trouble(statuses)) {
    table.add_row(status_cells(statuses[i], options.units));
  }
  TextOut out = standard_output();
  table.print(out, wants_color(options.color, Stream::output));
  out << '\n' << sum_text(statuses, options.units) << '\n';
}

Json size_json(const std::optional<MemorySize>& size) {
  return size ? Json(size->bytes()) : Json();
}

Json host_json(const HostStatus& status) {
  const std::string& socket = status.host.server.socket.native();
  Json json = Json::object(
      {{"name", status.host.name}, {"address", socket.empty() ? status.host.server.url : socket}});
  if (!status.figures) {
    json.set("problem", status.figures.error().text());
    return json;
  }
  const HostFigures& figures = *status.figures;
  json.update(Json::object({{"state", figures.host_state},
                            {"dry_run", figures.dry_run},
                            {"fallback", figures.fallback},
                            {"policy", figures.policy},
                            {"version", figures.version},
                            {"total", figures.total.bytes()},
                            {"committed", size_json(figures.committed)},
                            {"shortfall", size_json(figures.shortfall)},
                            {"grantable", figures.grantable.bytes()},
                            {"headroom", size_json(figures.headroom)},
                            {"domains", figures.domains},
                            {"problem", Json()}}));
  return json;
}

bool all_have_figures(const std::vector<HostStatus>& statuses) {
  return std::all_of(statuses.begin(), statuses.end(),
                     [](const HostStatus& status) { return status.figures.has_value(); });
}

ExitCode show_status(const std::vector<HostStatus>& statuses, const FleetOptions& options) {
  if (options.json) {
    Json hosts = Json::array();
    for (const std::size_t i : fleet::by_trouble(statuses)) {
      hosts.push_back(host_json(statuses[i]));
    }
    standard_output().lines(Json::object({{"hosts", std::move(hosts)}}).text()) << '\n';
  } else {
    print_status(statuses, options);
  }
  return all_have_figures(statuses) ? ExitCode::ok : ExitCode::failed;
}

// --- --fits ---

void print_fits(const std::vector<HostStatus>& statuses, const std::vector<std::size_t>& places,
                const FleetOptions& options) {
  constexpr auto kRight = TextTable::Align::right;
  TextTable table({{"HOST"}, {"FITS"}, {"LEFT OVER", kRight}, {"STATE"}});
  for (const std::size_t i : places) {
    const HostFigures& figures = *statuses[i].figures;
    const fleet::HostFit fit = fit_on(figures, *options.fits);
    table.add_row({statuses[i].host.name, std::string(to_text(fit.kind)),
                   fit.left.text(options.units), state_text(figures)});
  }
  table.print(standard_output(), wants_color(options.color, Stream::output));
}

void print_fits_json(const std::vector<HostStatus>& statuses,
                     const std::vector<std::size_t>& places, MemorySize size) {
  Json hosts = Json::array();
  for (const std::size_t i : places) {
    const fleet::HostFit fit = fit_on(*statuses[i].figures, size);
    Json json = host_json(statuses[i]);
    json.set("fits", to_text(fit.kind));
    json.set("left", fit.left.bytes());
    hosts.push_back(std::move(json));
  }
  Json failed = Json::array();
  for (const HostStatus& status : statuses) {
    if (!status.figures) failed.push_back(host_json(status));
  }
  standard_output().lines(Json::object({{"size", size.bytes()},
                                        {"needed", needed_to_start(size).bytes()},
                                        {"hosts", std::move(hosts)},
                                        {"failed", std::move(failed)}})
                              .text())
      << '\n';
}

void report_failures(const std::vector<HostStatus>& statuses) {
  for (const HostStatus& status : statuses) {
    if (status.figures) continue;
    Error error = status.figures.error();
    error.object = status.host.name;
    report(error);
  }
}

ExitCode show_fits(const std::vector<HostStatus>& statuses, const FleetOptions& options) {
  const std::vector<std::size_t> places = fleet::hosts_that_fit(statuses, *options.fits);
  if (options.json) {
    print_fits_json(statuses, places, *options.fits);
  } else {
    if (!places.empty()) print_fits(statuses, places, options);
    report_failures(statuses);
    if (places.empty()) {
      report({ErrorCode::unavailable, "", "no host can take " + options.fits->text(options.units),
              "", ""});
    }
  }
  return places.empty() ? ExitCode::failed : ExitCode::ok;
}

Result<ExitCode> fleet_status(const FleetOptions& options) {
  const auto hosts = fleet::hosts_of(options.hosts);
  if (!hosts) return fail(hosts.error());
  allow_many_connections();
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(options.timeout);
  const std::vector<HostStatus> statuses = fleet::ask_fleet(
      *hosts, {timeout, options.token_file}, control::send_requests, system_wall_time);
  return options.fits ? show_fits(statuses, options) : show_status(statuses, options);
}

void add_fleet_status_command(Command& fleet) {
  const auto options = std::make_shared<FleetOptions>();
  Command& command = fleet.add(
      "status",
      "Show the memory of many hosts in one table, those in trouble first. A host that does not "
      "answer has its reason in its row, and the exit code is 1.",
      [options] { return fleet_status(*options); });
  add_list(
      command,
      {.names = "HOST",
       .value = "URL|FILE",
       .description = "the memcoords: http://HOST:PORT of --metrics, a control socket (also one "
                      "that ssh forwards), or a file with one of these a line",
       .required = true},
      into_list(options->hosts));
  add_option(command,
             {"--fits", "SIZE",
              "only the hosts that can take a guest with this maximum, best first; exit "
              "code 1 if there is none"},
             into(options->fits, parse_size));
  add_option(command, {"--timeout", "TIME", "how long each host may take to answer; default 2s"},
             into(options->timeout, parse_duration));
  add_option(command,
             {"--token-file", "FILE",
              "the token for hosts at URLs; a fleet file may name another one for a host"},
             into_text(options->token_file));
  add_flag(command, {"--json", "print JSON, with sizes in bytes"}, options->json);
  add_units_option(command, options->units);
  add_color_option(command, options->color);
  command.footer = examples_text({
      {"memcoord fleet status hosts.txt", "show the hosts that a file lists"},
      {"memcoord fleet status http://kvm1:9798 /run/user/1000/kvm2.sock",
       "show one host at its metrics address and one through ssh"},
      {"memcoord fleet status --fits 16GiB hosts.txt", "find a host for a guest of 16 GiB"},
  });
}

}  // namespace

void add_fleet_command(Command& program) {
  Command& command = program.add("fleet", "Show the memcoords of many hosts.", {});
  add_fleet_status_command(command);
}

}  // namespace memcoord::cli
