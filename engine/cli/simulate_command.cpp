// memcoord simulate: one policy on one simulated host, in virtual time.

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/run_options.h"
#include "engine/cli/terminal.h"
#include "engine/cli/workbench_commands.h"
#include "engine/core/screen_text.h"
#include "engine/core/time.h"
#include "engine/files/atomic_file.h"
#include "engine/observers/amounts.h"
#include "engine/observers/journal_folder.h"
#include "engine/observers/json.h"
#include "engine/workbench/report/report.h"
#include "engine/workbench/run_record.h"
#include "engine/workbench/simulation.h"

namespace memcoord::cli {
namespace {

using namespace workbench;
using observers::Json;

struct SimulateOptions {
  WorkbenchOptions workbench;
  std::string policy{kDefaultPolicy};
  std::string scenario;  ///< empty: case1
  RecordedDemandOptions demand;
  std::string report;
  std::string journal;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

struct SimulatedRun {
  SimulationResult result;
  RunRecord record;
  std::vector<std::string> notes;  ///< on the recording, then the engine's first ones, once each
  std::size_t kept_notes = 0;      ///< of the engine's
  std::size_t more_notes = 0;
};

/// Keeps the engine's first notes and counts the rest; the journal has them all.
void keep_notes(const Tick& tick, SimulatedRun& outcome) {
  constexpr std::size_t kMaxNotes = 5;
  for (const Note& note : tick.notes) {
    if (note.text.starts_with(tick.policy + ": ")) continue;
    const auto& known = outcome.notes;
    if (std::find(known.begin(), known.end(), note.text) != known.end()) continue;
    if (outcome.kept_notes++ < kMaxNotes) {
      outcome.notes.push_back(note.text);
    } else {
      ++outcome.more_notes;
    }
  }
}

/// The scenario that the options name. Sets the limits of a recorded host.
Result<DemandScenario> scenario_for(SimulateOptions& options) {
  if (Status sound = check_demand(options.demand, "--scenario", !options.scenario.empty());
      !sound) {
    return fail(sound.error());
  }
  if (options.demand.paths.empty()) {
    auto scenario = find_scenario(options.scenario.empty() ? "case1" : options.scenario);
    if (!scenario) return fail(scenario.error());
    return DemandScenario{*std::move(scenario), {}};
  }
  return demand_scenario(options.demand, options.workbench);
}

Result<SimulatedRun> play(SimulateOptions& options) {
  const PolicyLoader loader(with_simulation_time(options.workbench.policy_limits));
  auto policy = loader.load(options.policy, options.workbench.settings);
  if (!policy) return fail(policy.error());
  auto named = scenario_for(options);
  if (!named) return fail(named.error());
  simulated::Scenario& scenario = named->scenario;
  if (!options.report.empty()) {
    if (Status writable = files::check_output(options.report, options.demand.paths); !writable)
      return fail(writable.error());
  }
  std::unique_ptr<observers::Journal> journal;
  SimulationWatch watch;
  if (!options.journal.empty()) {
    auto opened = observers::open_journal(options.journal, {}, observers::Packing::first);
    if (!opened) return fail(opened.error());
    journal = *std::move(opened);
    watch.observers.push_back(journal.get());
  }
  const Duration interval = options.workbench.interval;
  const double whole = seconds_of(scenario.duration);
  Progress progress("simulating " + scenario.name);
  Recorder recorder(scenario);
  SimulatedRun outcome;
  outcome.notes = std::move(named->notes);
  watch.tick = [&](const Tick& tick, simulated::SimulatedHost& host) {
    recorder.take(tick, host);
    keep_notes(tick, outcome);
    progress.show(seconds_of(host.now()) / whole);
  };
  watch.end = [&](simulated::SimulatedHost& host) {
    outcome.record = recorder.finish(host, interval);
  };
  outcome.result = simulate(std::move(scenario), *std::move(policy),
                            simulation_options(options.workbench), watch);
  if (journal) print_notes(journal->drain_notes());
  return outcome;
}

/// One value for each place of a sparkline: the maximum of its moments.
std::vector<double> curve_values(const std::vector<DomainMoment>& moments,
                                 MemorySize DomainMoment::*figure) {
  constexpr std::size_t kPlaces = 32;
  const std::size_t places = std::min(kPlaces, moments.size());
  std::vector<double> values(places);
  for (std::size_t i = 0; i < moments.size(); ++i) {
    double& value = values[i * places / moments.size()];
    if (moments[i].active) value = std::max(value, static_cast<double>((moments[i].*figure).kib()));
  }
  return values;
}

TextTable domain_table(const RunRecord& record) {
  constexpr std::size_t kMaxRows = 30;
  constexpr auto kRight = TextTable::Align::right;
  TextTable table({{"DOMAIN"},
                   {"MAXIMUM", kRight},
                   {"STALLED", kRight},
                   {"OOM", kRight},
                   {"ACTUAL"},
                   {"NEED"}});
  // If there are too many, the most stalled domains; otherwise in the scenario's order.
  std::vector<const DomainRecord*> domains;
  for (const DomainRecord& domain : record.domains) domains.push_back(&domain);
  if (domains.size() > kMaxRows) {
    std::stable_sort(domains.begin(), domains.end(),
                     [](const auto* a, const auto* b) { return a->stalled > b->stalled; });
    domains.resize(kMaxRows);
  }
  const bool unicode = speaks_utf8();
  for (const DomainRecord* domain : domains) {
    const auto top = static_cast<double>(domain->maximum.kib());
    const auto curve = [&](MemorySize DomainMoment::*figure) {
      return sparkline(curve_values(domain->moments, figure), top, unicode);
    };
    table.add_row({domain->name, domain->maximum.text(record.limits.units),
                   share_text(domain->stalled), std::to_string(domain->oom_kills),
                   curve(&DomainMoment::actual), curve(&DomainMoment::need)});
  }
  return table;
}

std::string rules_line(const RunRecord& record) {
  std::string text;
  for (std::size_t i = 0; i < record.rule_limits.size(); ++i) {
    if (record.rule_limits[i] == 0) continue;
    text += fmt::format("{}{} {}x", text.empty() ? "" : ", ", to_text(static_cast<Rule>(i)),
                        record.rule_limits[i]);
  }
  return text.empty() ? "the guard limited no move" : "the guard limited moves: " + text;
}

void print_simulation(const SimulatedRun& outcome, bool colored) {
  const RunRecord& record = outcome.record;
  const std::uint64_t early = outcome.result.early_ticks;
  TextOut out = standard_output();
  out << fmt::format("{} on {}: {}", record.policy, record.scenario, record.summary) << '\n'
      << fmt::format(
             "{}, host {}, {} in {} ticks of {}{}, headroom {}",
             observers::counted(record.domains.size(), "domain"),
             record.host_total.text(record.limits.units), observers::duration_text(record.duration),
             outcome.result.ticks, observers::set_time_text(record.interval),
             early > 0 ? fmt::format(" ({} early)", early) : "", to_text(record.limits.headroom))
      << '\n'
      << '\n';
  TextTable figures(score_columns());
  figures.add_row(score_cells(outcome.result.score));
  figures.print(out, colored);
  out << '\n';
  domain_table(record).print(out, colored);
  out << '\n' << rules_line(record) << '\n';
  for (const std::string& note : outcome.notes) out << "note: " << note << '\n';
  if (outcome.more_notes > 0) {
    out << "and " << outcome.more_notes << " more notes; --journal FILE keeps them all\n";
  }
}

void print_simulation_json(const SimulatedRun& outcome) {
  const RunRecord& record = outcome.record;
  Json json = Json::object({{"policy", record.policy},
                            {"scenario", record.scenario},
                            {"interval_s", seconds_of(record.interval)},
                            {"headroom", to_text(record.limits.headroom)},
                            {"duration_s", seconds_of(record.duration)},
                            {"ticks", outcome.result.ticks},
                            {"early_ticks", outcome.result.early_ticks},
                            {"policy_errors", outcome.result.policy_errors}});
  json.update(score_json(outcome.result.score));
  auto domains = Json::array();
  for (const DomainRecord& domain : record.domains) {
    domains.push_back(Json::object({{"name", domain.name},
                                    {"maximum_kib", domain.maximum.kib()},
                                    {"stalled", domain.stalled},
                                    {"oom", domain.oom_kills}}));
  }
  json.set("domains", std::move(domains));
  auto rules = Json::object();
  for (std::size_t i = 0; i < record.rule_limits.size(); ++i) {
    if (record.rule_limits[i] > 0)
      rules.set(std::string(to_text(static_cast<Rule>(i))), record.rule_limits[i]);
  }
  json.set("rules", std::move(rules));
  standard_output().lines(json.text()) << '\n';
}

Result<ExitCode> run_simulation(SimulateOptions& options) {
  const auto outcome = play(options);
  if (!outcome) return fail(outcome.error());
  if (!options.report.empty()) {
    const Status written = write_run_report(outcome->record, options.report);
    if (!written) return fail(written.error());
  }
  if (options.json) {
    print_simulation_json(*outcome);
  } else {
    print_simulation(*outcome, wants_color(options.color, Stream::output));
    if (!options.report.empty()) standard_output() << "report: " << options.report << '\n';
  }
  if (!outcome->result.first_policy_error) return ExitCode::ok;
  Error error = *outcome->result.first_policy_error;
  error.message += fmt::format(" (no answer in {} of {} ticks)", outcome->result.policy_errors,
                               outcome->result.ticks);
  report(error);
  return ExitCode::failed;
}

}  // namespace

void add_simulate_command(Command& program) {
  const auto options = std::make_shared<SimulateOptions>();
  Command& command =
      program.add("simulate",
                  "Run a policy on a simulated host in virtual time and print how much "
                  "its guests stalled.",
                  [options] { return run_simulation(*options); });
  add_option(
      command,
      {"-p,--policy", "FILE|NAME", "the policy: a Lua file or a bundled one; default adaptive"},
      into_text(options->policy));
  add_option(command,
             {"-S,--scenario", "FILE|NAME",
              "the host and its guests: a Lua file or a bundled scenario; default case1"},
             into_text(options->scenario));
  add_traces_options(command, options->demand, false);
  add_option(command, {"-r,--report", "FILE", "write the run's curves to an HTML page"},
             into_text(options->report));
  add_option(command,
             {"-j,--journal", "PATH", "write each tick as a line of JSON to a file or a folder"},
             into_text(options->journal));
  add_flag(command, {"--json", "print JSON"}, options->json);
  add_color_option(command, options->color);
  add_workbench_options(command, options->workbench);
  add_periods_option(command, options->workbench);
  command.footer = examples_text({
      {"memcoord simulate --policy halving --scenario case3",
       "print figures, domains and the guard's rules"},
      {"memcoord simulate -p mine.lua -S burst --report burst.html",
       "also write the curves to an HTML page"},
      {"memcoord simulate -p mine.lua --traces /var/lib/memcoord",
       "run a policy on the demand of a recorded host"},
  });
}

}  // namespace memcoord::cli
