#include "engine/cli/workbench_commands.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <numeric>
#include <utility>

#include "engine/cli/command.h"
#include "engine/cli/run_options.h"
#include "engine/cli/terminal.h"
#include "engine/workbench/density.h"
#include "engine/workbench/recorded_scenario.h"

namespace memcoord::cli {
namespace {

constexpr auto kBetweenLines = std::chrono::milliseconds(100);
constexpr std::size_t kBarWidth = 24;
constexpr const char* kEraseLine = "\r\033[K";

}  // namespace

workbench::SimulationOptions simulation_options(const WorkbenchOptions& options) {
  return {.interval = options.interval,
          .min_interval = options.min_interval,
          .limits = options.limits,
          .keep_periods = options.keep_periods};
}

void add_workbench_options(Command& command, WorkbenchOptions& options) {
  add_set_option(command, options.settings);
  add_comparing_options(command, options);
}

void add_periods_option(Command& command, WorkbenchOptions& options) {
  add_flag(command,
           {"--keep-periods", "ask no guest for a report between those of its statistics period"},
           options.keep_periods);
}

void add_comparing_options(Command& command, WorkbenchOptions& options) {
  add_option(command,
             {"-i,--interval", "TIME",
              "time between ticks: seconds, or a number with its unit (500ms, 2s, 1m); default 1s"},
             into(options.interval, parse_duration));
  add_min_interval_option(command, options.min_interval, "Options");
  add_units_option(command, options.limits.units);
  add_guard_options(command, options.limits);
  add_policy_limit_options(command, options.policy_limits, "Limits", kSimulationTimeText);
}

void add_jobs_option(Command& command, WorkbenchOptions& options) {
  const auto parse = [](const std::string& text) { return parse_whole_number(text, {1, 1024}); };
  add_option(
      command,
      {"-J,--jobs", "N", "the number of simulations that run in parallel; default one per core"},
      into(options.jobs, parse));
}

void add_step_option(Command& command, std::optional<std::chrono::seconds>& step) {
  const auto parse = [](const std::string& text) -> Result<std::chrono::seconds> {
    const auto time = parse_age(text);
    if (!time) return fail(time.error());
    if (*time % std::chrono::seconds(1) != Duration()) {
      return fail(ErrorCode::invalid_input, "", "'" + text + "' is not whole seconds",
                  "expected 1s, 10s, 1m");
    }
    return std::chrono::duration_cast<std::chrono::seconds>(*time);
  };
  add_option(command,
             {"--step", "TIME",
              "the distance of the rows that a journal is reduced to; default 1s for recordings of "
              "up to ten hours, 10s for longer ones"},
             into(step, parse));
}

void add_traces_options(Command& command, RecordedDemandOptions& options, bool required) {
  add_list(command,
           {.names = "-t,--traces",
            .value = "FILE...",
            .description = "the memory that domains used: journals of a host (files or folders), a "
                           "wide CSV, or a folder of GWA-T-12 files",
            .required = required},
           into_list(options.paths));
  add_option(command, {"--host", "SIZE", "the host's memory; default the recorded host's"},
             into(options.host, parse_size));
  add_step_option(command, options.step);
}

Status check_demand(const RecordedDemandOptions& options, const std::string& option, bool given) {
  if (options.paths.empty() && (options.host || options.step)) {
    return fail(ErrorCode::invalid_input, options.host ? "--host" : "--step", "needs --traces",
                "a scenario states its host itself");
  }
  if (!options.paths.empty() && given) {
    return fail(ErrorCode::invalid_input, option, "contradicts --traces", "name one of the two");
  }
  return {};
}

Result<workbench::TraceSource> read_demand(const std::vector<std::string>& paths,
                                           std::optional<std::chrono::seconds> step) {
  return workbench::read_trace_source({paths.begin(), paths.end()}, step);
}

std::string paths_text(const std::vector<std::string>& paths) {
  if (paths.empty()) return {};
  return paths.size() == 1 ? paths.front()
                           : fmt::format("{} and {} more", paths.front(), paths.size() - 1);
}

Limits limits_for(const workbench::RecordedHost& host, const Limits& given) {
  Limits defaults;
  defaults.units = given.units;
  if (given != defaults) return given;
  Limits recorded = workbench::without_budget(host.limits);
  recorded.units = given.units;
  return recorded;
}

Result<DemandScenario> demand_scenario(const RecordedDemandOptions& options,
                                       WorkbenchOptions& workbench) {
  const auto source = read_demand(options.paths, options.step);
  if (!source) return fail(source.error());
  DemandScenario result;
  if (source->host) {
    result.scenario = workbench::recorded_scenario(source->trace, *source->host);
    if (options.host) result.scenario.host_total = *options.host;
    workbench.limits = limits_for(*source->host, workbench.limits);
    result.notes = source->notes;
  } else {
    if (!options.host) {
      return fail(ErrorCode::invalid_input, paths_text(options.paths),
                  "is a trace, which does not say how much memory the host has",
                  "name it: --host 64GiB");
    }
    workbench::DensityOptions density;
    density.host = *options.host;
    density.limits = workbench.limits;
    std::vector<std::size_t> all(source->trace.columns.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const auto footprint =
        source->trace.is_resident() ? std::chrono::seconds(0) : density.footprint;
    result.scenario = workbench::density_scenario(
        source->trace, workbench::demand_of(source->trace, footprint), all, density);
  }
  result.scenario.name = std::filesystem::path(paths_text(options.paths)).filename().string();
  if (result.scenario.name.empty()) result.scenario.name = "recorded";
  result.scenario.summary = "the demand of " + paths_text(options.paths);
  return result;
}

Result<PolicySpec> parse_policy_spec(const std::string& text) {
  PolicySpec spec{text, text, {}};
  // A path may have colons, so only a colon before settings counts.
  const std::size_t equals = text.find('=');
  const std::size_t colon = equals == std::string::npos ? equals : text.rfind(':', equals);
  if (colon == std::string::npos) return spec;
  spec.path_or_name = text.substr(0, colon);
  std::size_t start = colon + 1;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    auto assignment = parse_assignment(text.substr(start, end - start));
    if (!assignment) {
      Error error = assignment.error();
      error.object = text;
      error.hint = "expected POLICY or POLICY:NAME=VALUE,NAME=VALUE";
      return fail(std::move(error));
    }
    spec.settings.insert_or_assign(assignment->first, assignment->second);
    start = end + 1;
  }
  return spec;
}

using workbench::Score;

std::string share_text(double share) {
  const double percent = share * 100.0;
  if (percent == 0) return "0";
  if (percent < 0.0001) return "<0.0001 %";
  if (percent < 0.1) return fmt::format("{:.4f} %", percent);
  return percent < 10 ? fmt::format("{:.2f} %", percent) : fmt::format("{:.1f} %", percent);
}

std::vector<TextTable::Column> score_columns() {
  constexpr auto kRight = TextTable::Align::right;
  return {{"STALLED", kRight},    {"DEFICIT GiBh", kRight}, {"OOM", kRight},
          {"HOST OOM", kRight},   {"BREACH s", kRight},     {"OVERHEAD", kRight},
          {"CHURN MiB/h", kRight}};
}

std::vector<std::string> score_cells(const Score& score) {
  return {share_text(score.stalled),
          score.deficit == 0 ? "0" : fmt::format("{:.4f}", score.deficit),
          fmt::format("{}", score.guest_oom),
          fmt::format("{}", score.host_oom),
          score.breach_seconds == 0 ? "0" : fmt::format("{:.1f}", score.breach_seconds),
          fmt::format("{:.0f} %", score.overhead * 100.0),
          fmt::format("{:.0f}", score.churn)};
}

observers::Json score_json(const Score& score) {
  return observers::Json::object({{"stalled", score.stalled},
                                  {"deficit_gib_hours", score.deficit},
                                  {"oom", score.guest_oom},
                                  {"host_oom", score.host_oom},
                                  {"breach_s", score.breach_seconds},
                                  {"overhead", score.overhead},
                                  {"churn_mib_h", score.churn},
                                  {"domain_s", score.domain_seconds}});
}

Progress::Progress(std::string what)
    : what_(std::move(what)), active_(is_terminal(Stream::error)) {}

Progress::~Progress() {
  if (drawn_) standard_error().control(kEraseLine).flush();
}

void Progress::show(double share, const std::string& detail) {
  if (!active_) return;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kBetweenLines) return;
  last_ = now;
  const double done = std::clamp(share, 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(done * static_cast<double>(kBarWidth));
  const std::string bar = std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  TextOut out = standard_error();
  out.control(kEraseLine) << fmt::format("{} [{}] {:3.0f} %  {}", what_, bar, done * 100.0, detail);
  out.flush();
  drawn_ = true;
}

}  // namespace memcoord::cli
