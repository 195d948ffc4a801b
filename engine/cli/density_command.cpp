// memcoord density: how many of a trace's domains a policy serves on one host.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/density_cells.h"
#include "engine/cli/help.h"
#include "engine/cli/run_options.h"
#include "engine/cli/sweep.h"
#include "engine/cli/terminal.h"
#include "engine/cli/workbench_commands.h"
#include "engine/core/time.h"
#include "engine/observers/amounts.h"
#include "engine/observers/json.h"
#include "engine/workbench/density.h"
#include "engine/workbench/recorded_scenario.h"

namespace memcoord::cli {
namespace {

using namespace workbench;
using observers::Json;

struct DensityCommandOptions {
  WorkbenchOptions workbench;
  DensityOptions density;
  std::string policy{kDefaultPolicy};
  RecordedDemandOptions demand;
  std::optional<std::chrono::seconds> footprint;
  std::optional<std::size_t> orders;
  SweepOptions sweep;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

/// The demand, and what is known of the host that it was recorded on.
struct DensityDemand {
  Trace trace;
  std::optional<RecordedHost> host;
  std::size_t recorded = 0;  ///< domains, without the copies of them
  std::vector<std::string> notes;
};

/// One figure's mean, minimum and maximum over all orders.
struct Spread {
  double mean = 0;
  double min = 0;
  double max = 0;
};

template <class Figure>
Spread spread_of(const DensityResult& result, Figure figure) {
  Spread spread;
  bool first = true;
  for (const DensityOrder& order : result.orders) {
    const auto value = static_cast<double>(figure(order));
    spread.mean += value / static_cast<double>(result.orders.size());
    spread.min = first ? value : std::min(spread.min, value);
    spread.max = first ? value : std::max(spread.max, value);
    first = false;
  }
  return spread;
}

struct Summary {
  Spread vms;
  Spread static_sizing;
  Spread instant;
  Spread bound;
  Spread stalled;
  int oom = 0;
  [[nodiscard]] double ratio() const {
    return static_sizing.mean > 0 ? vms.mean / static_sizing.mean : 0;
  }
  [[nodiscard]] double of_bound() const { return bound.mean > 0 ? vms.mean / bound.mean : 0; }
};

Summary summary_of(const DensityResult& result) {
  Summary summary;
  summary.vms = spread_of(result, [](const DensityOrder& o) { return o.vms; });
  summary.static_sizing = spread_of(result, [](const DensityOrder& o) { return o.static_sizing; });
  summary.instant = spread_of(result, [](const DensityOrder& o) { return o.instant; });
  summary.bound = spread_of(result, [](const DensityOrder& o) { return o.bound; });
  summary.stalled = spread_of(result, [](const DensityOrder& o) { return o.score.stalled; });
  for (const DensityOrder& order : result.orders) {
    summary.oom += order.score.guest_oom + order.score.host_oom;
  }
  return summary;
}

Json spread_json(const Spread& spread) {
  return Json::object({{"mean", spread.mean}, {"min", spread.min}, {"max", spread.max}});
}

Json recorded_json(const DensityDemand& demand) {
  auto notes = Json::array();
  for (const std::string& note : demand.notes) notes.push_back(note);
  return Json::object({{"domains", demand.recorded},
                       {"at_once", demand.host->at_once},
                       {"host_kib", demand.host->total.kib()},
                       {"own_use_kib", demand.host->largest_own_use().kib()},
                       {"notes", std::move(notes)}});
}

void print_density_json(const DensityCommandOptions& options, const DensityDemand& demand,
                        const DensityResult& result) {
  const Summary summary = summary_of(result);
  Json json = Json::object({{"policy", options.policy},
                            {"traces", paths_text(options.demand.paths)},
                            {"host_kib", options.density.host.kib()},
                            {"hosts", options.density.hosts},
                            {"stalled_limit", options.density.stalled},
                            {"interval_s", seconds_of(options.workbench.interval)},
                            {"available", result.available},
                            {"vms", summary.vms.mean},
                            {"static", summary.static_sizing.mean},
                            {"instant", summary.instant.mean},
                            {"bound", summary.bound.mean},
                            {"ratio", summary.ratio()},
                            {"of_bound", summary.of_bound()},
                            {"stalled", summary.stalled.mean},
                            {"oom", summary.oom},
                            {"runs", result.runs},
                            {"spread", Json::object({{"vms", spread_json(summary.vms)},
                                                     {"static", spread_json(summary.static_sizing)},
                                                     {"instant", spread_json(summary.instant)},
                                                     {"bound", spread_json(summary.bound)}})}});
  if (demand.host) json.set("recorded", recorded_json(demand));
  auto orders = Json::array();
  for (std::size_t i = 0; i < result.orders.size(); ++i) {
    const DensityOrder& order = result.orders[i];
    Json entry = Json::object({{"vms", order.vms},
                               {"static", order.static_sizing},
                               {"instant", order.instant},
                               {"bound", order.bound}});
    entry.update(score_json(order.score));
    if (options.density.hosts > 1) entry.set("hosts", hosts_json(result, i));
    orders.push_back(std::move(entry));
  }
  json.set("orders", std::move(orders));
  standard_output().lines(json.text()) << '\n';
}

/// Whether runs of a given size are measured, instead of searching for the largest one.
bool is_measured(const DensityOptions& density) {
  return density.vms > 0 || density.fill > 0;
}

/// "This host runs 31 domains. Static sizing fits 18; adaptive would serve 44 (...)."
std::string answer_of(const DensityCommandOptions& options, const DensityDemand& demand,
                      const Summary& summary, std::size_t orders) {
  const std::size_t at_once = demand.host->at_once;
  std::string answer =
      fmt::format("{} {}", options.demand.host ? "The recorded host runs" : "This host runs",
                  observers::counted(at_once, "domain"));
  if (demand.recorded > at_once) answer += fmt::format(" at once, {} in all", demand.recorded);
  answer += fmt::format(". Static sizing fits {:.0f}", summary.static_sizing.mean);
  if (options.density.hosts > 1) answer += fmt::format(" on {} hosts", options.density.hosts);
  if (is_measured(options.density)) return answer + '.';
  answer += fmt::format("; {} would serve {:.0f} (", options.policy, summary.vms.mean);
  if (orders > 1)
    answer += fmt::format("{:.0f} in the worst of {} orders; ", summary.vms.min, orders);
  return answer + fmt::format("bound {:.0f}).", summary.bound.mean);
}

/// The host's memory in a headline: "16 GiB", or "53.1 GiB for guests".
std::string host_text(const DensityCommandOptions& options, const DensityDemand& demand) {
  const std::string size = options.density.host.text(options.workbench.limits.units);
  return demand.host ? size + " for guests" : size;
}

void print_density(const DensityCommandOptions& options, const DensityDemand& demand,
                   const DensityResult& result, bool colored) {
  const Summary summary = summary_of(result);
  TextOut out = standard_output();
  if (demand.host) {
    out << answer_of(options, demand, summary, result.orders.size()) << '\n' << '\n';
  }
  const std::string hosts = on_hosts_text(host_text(options, demand), options.density.hosts);
  out << fmt::format(
             "{} {}: {} in {}, {}, stalled at most {}", options.policy, hosts,
             observers::counted(demand.recorded, "domain"), paths_text(options.demand.paths),
             observers::counted(result.orders.size(), "order"), share_text(options.density.stalled))
      << '\n'
      << '\n';
  constexpr auto kRight = TextTable::Align::right;
  TextTable table({{""}, {"MEAN", kRight}, {"MIN", kRight}, {"MAX", kRight}});
  const auto row = [&table](const std::string& name, const Spread& spread) {
    table.add_row({name, fmt::format("{:.1f}", spread.mean), fmt::format("{:.0f}", spread.min),
                   fmt::format("{:.0f}", spread.max)});
  };
  row(is_measured(options.density) ? "domains measured" : "domains served", summary.vms);
  row("static sizing", summary.static_sizing);
  row("instant allocator", summary.instant);
  row("clairvoyant bound", summary.bound);
  table.print(out, colored);
  print_each_host(result, options.density.hosts, out, colored);
  out << '\n';
  // Of a given number of domains, the share of the bound says nothing about the policy.
  if (!is_measured(options.density)) {
    if (summary.ratio() > 0) out << fmt::format("{:.2f} times static sizing, ", summary.ratio());
    out << fmt::format("{:.1f} % of the bound; ", summary.of_bound() * 100.0);
  }
  out << fmt::format("stalled {}, OOM kills {}", share_text(summary.stalled.mean), summary.oom)
      << '\n';
  for (const std::string& note : demand.notes) out << "note: " << note << '\n';
}

/// Reads the demand, and sets what it says of the host and of the limits.
Result<DensityDemand> read_density_demand(DensityCommandOptions& options) {
  auto source = read_demand(options.demand.paths, options.demand.step);
  if (!source) return fail(source.error());
  DensityDemand demand{std::move(source->trace), std::move(source->host), 0,
                       std::move(source->notes)};
  demand.recorded = demand.trace.columns.size();
  DensityOptions& density = options.density;
  density.footprint = options.footprint.value_or(
      demand.trace.is_resident() ? std::chrono::seconds(0) : density.footprint);
  density.host = options.demand.host.value_or(density.host);
  density.orders = options.orders.value_or(density.orders);
  if (!demand.host) return demand;
  options.workbench.limits = limits_for(*demand.host, options.workbench.limits);
  const MemorySize own = demand.host->largest_own_use();
  density.host = options.demand.host ? *options.demand.host - own : memory_for_guests(*demand.host);
  if (density.host <= options.workbench.limits.host_floor) {
    return fail(ErrorCode::invalid_input,
                options.demand.host ? "--host" : paths_text(options.demand.paths),
                fmt::format("leaves guests nothing: the host itself used up to {}", own.text()));
  }
  demand.notes.push_back(fmt::format("the host has {}; it used up to {} itself",
                                     options.demand.host.value_or(demand.host->total).text(),
                                     own.text()));
  constexpr std::chrono::hours kDay(24);
  constexpr std::size_t kOrdersOfDays = 1;  // so that a week of a hundred domains takes a minute
  const auto& times = demand.trace.times;
  const auto lasts = times.back() - times.front();
  if (lasts > kDay && !options.orders) density.orders = kOrdersOfDays;
  if (lasts < kDay) {
    demand.notes.push_back("the recording lasts " + observers::duration_text(lasts) +
                           "; one of a day or longer has the daily peaks");
  }
  demand.trace = with_copies(std::move(demand.trace), density.host * density.hosts, density.vms);
  if (demand.trace.columns.size() > demand.recorded) {
    demand.notes.push_back(
        fmt::format("to fill the host, each recorded domain stands for up to {}, shifted in time",
                    demand.trace.columns.size() / demand.recorded));
  }
  return demand;
}

/// Checks that there are as many domains as --vms asks for. Errors: invalid_input.
Status check_measured(const DensityOptions& density, const DensityDemand& demand) {
  const std::size_t available = demand.trace.columns.size();
  if (density.vms <= available) return {};
  return fail(ErrorCode::invalid_input, "--vms",
              demand.host
                  ? fmt::format("is more than {}, which are {} of each recorded domain", available,
                                kMostCopies + 1)
                  : "is more than the " + observers::counted(available, "domain") + " of the trace",
              fmt::format("expected at most {}", available));
}

/// Adds a note where a run or the bound has all the domains that there are: more may fit.
void note_ceiling(const DensityResult& result, const DensityOptions& density,
                  DensityDemand& demand) {
  if (density.vms > 0 || result.available == 0) return;
  const bool reached =
      std::any_of(result.orders.begin(), result.orders.end(), [&](const DensityOrder& order) {
        return std::max(order.vms, order.bound) >= result.available;
      });
  if (!reached) return;
  demand.notes.push_back(fmt::format(
      "these are all the {} domains that the {} gives; the host may serve more", result.available,
      demand.host ? fmt::format("recording, with {} of each,", kMostCopies + 1)
                  : std::string("trace")));
}

Result<ExitCode> run_density(DensityCommandOptions& options) {
  const PolicyLoader loader(with_simulation_time(options.workbench.policy_limits));
  const PolicyMaker make_policy = [&]() -> Result<std::unique_ptr<Policy>> {
    auto loaded = loader.load(options.policy, options.workbench.settings);
    if (!loaded) return fail(loaded.error());
    return std::unique_ptr<Policy>(*std::move(loaded));
  };
  if (const Status sound = check_sweep(options.sweep); !sound) return fail(sound.error());
  if (options.density.vms > 0 && options.density.fill > 0) {
    return fail(ErrorCode::invalid_input, "--fill", "contradicts --vms", "name one of the two");
  }
  const auto policy = loader.load(options.policy, options.workbench.settings);
  if (!policy) return fail(policy.error());
  auto demand = read_density_demand(options);
  if (!demand) return fail(demand.error());
  if (const Status sound = check_measured(options.density, *demand); !sound) {
    return fail(sound.error());
  }
  options.density.interval = options.workbench.interval;
  options.density.min_interval = options.workbench.min_interval;
  options.density.limits = options.workbench.limits;
  options.density.threads = options.workbench.jobs;
  options.density.shard = options.sweep.shard;
  Progress progress("searching");
  const auto result = density_of(
      demand->trace, make_policy, options.density,
      [&](std::size_t done, double share) { progress.show(share, fmt::format("{} done", done)); });
  if (!result) return fail(result.error());
  if (options.density.shard.count == 1) note_ceiling(*result, options.density, *demand);
  if (options.sweep.csv) {
    print_density_cells(*result, options.density,
                        density_sweep_id(options.workbench, options.policy, **policy, demand->trace,
                                         options.density));
  } else if (options.json) {
    print_density_json(options, *demand, *result);
  } else {
    print_density(options, *demand, *result, wants_color(options.color, Stream::output));
  }
  return ExitCode::ok;
}

void add_search_options(Command& command, DensityCommandOptions& options) {
  DensityOptions& density = options.density;
  const auto number = [](std::int64_t maximum) {
    return [maximum](const std::string& text) { return parse_whole_number(text, {1, maximum}); };
  };
  const auto share = [](const std::string& text) -> Result<double> {
    if (text == "0" || text == "0%") return 0.0;
    return parse_share(text);
  };
  const auto footprint = [](const std::string& text) -> Result<std::chrono::seconds> {
    if (text == "0") return std::chrono::seconds(0);
    const auto time = parse_duration(text);
    if (!time) return fail(time.error());
    return std::chrono::duration_cast<std::chrono::seconds>(*time);
  };
  add_hosts_option(command, density);
  add_option(command,
             {"--max-stalled", "SHARE",
              "the share of their time that domains may be stalled; default 0.01%"},
             into(density.stalled, share));
  add_option(
      command,
      {"--footprint", "TIME",
       "how long a guest keeps memory after its last use; default 10m; 0 if the trace records "
       "resident memory, as journals do"},
      into(options.footprint, footprint));
  add_choice(command,
             {"--shape", "",
              "how demand changes between two rows of the trace; default step, the harder case"},
             {"step", "ramp"}, [&density](std::size_t index) {
               density.shape =
                   index == 0 ? simulated::Plan::Shape::step : simulated::Plan::Shape::ramp;
             });
  add_option(command,
             {"--orders", "N",
              "the number of random orders in which domains are added to the host; default 10, or "
              "1 for a journal of more than a day"},
             into(options.orders, number(10'000)));
  add_option(command, {"--seed", "N", "the seed of the first order; default 1"},
             into(density.seed, number(1'000'000'000)));
  add_option(command, {"--vms", "N", "measure a run with N domains instead of searching"},
             into(density.vms, number(1'000'000)));
  add_option(command,
             {"--fill", "SHARE",
              "measure runs with this share of the clairvoyant bound instead of searching"},
             into(density.fill, parse_share));
}

}  // namespace

void add_density_command(Command& program) {
  const auto options = std::make_shared<DensityCommandOptions>();
  options->workbench.interval = options->density.interval;
  Command& command =
      program.add("density",
                  "Find how many of a trace's domains a policy serves on one host, and "
                  "compare that with static sizing and with the clairvoyant bound.",
                  [options] { return run_density(*options); });
  add_option(
      command,
      {"-p,--policy", "FILE|NAME", "the policy: a Lua file or a bundled one; default adaptive"},
      into_text(options->policy));
  add_traces_options(command, options->demand, true);
  add_search_options(command, *options);
  add_flag(command, {"--json", "print JSON, with the figures of each order"}, options->json);
  add_sweep_options(command, options->sweep, "print CSV, a row for each order on each host");
  add_color_option(command, options->color);
  add_jobs_option(command, options->workbench);
  add_workbench_options(command, options->workbench);
  command.footer = examples_text({
      {"memcoord density --traces /var/lib/memcoord",
       "find how many domains the recorded host could serve"},
      {"memcoord density --policy halving --traces week.csv --host 64GiB",
       "find how many domains fit"},
      {"memcoord density -p mine.lua -t week.csv --host 128GiB --vms 60",
       "measure a host with 60 domains"},
  });
}

}  // namespace memcoord::cli
