#include "engine/cli/run_options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

#include "engine/cli/guard_options.h"
#include "engine/cli/option_values.h"
#include "engine/cli/options.h"
#include "engine/core/nearest.h"

namespace memcoord::cli {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

constexpr std::array<const char*, 5> kLogLevels{"debug", "info", "warning", "error", "off"};

auto whole_number(Bounds bounds) {
  return [bounds](const std::string& text) { return parse_whole_number(text, bounds); };
}

TakeText append_to(std::vector<std::string>& list) {
  return [&list](const std::string& text) -> Status {
    if (text.empty())
      return fail(ErrorCode::invalid_input, "", "an empty pattern", "such as web-*");
    list.push_back(text);
    return {};
  };
}

void add_policy_options(CLI::App& app, RunOptions& options) {
  const std::string group = "Policy";
  add_option(app,
             {"-p,--policy", "FILE|NAME",
              "what decides: a Lua file, or a bundled policy (see "
              "'memcoord policies'); default " +
                  std::string(kDefaultPolicy)},
             into_text(options.policy))
      ->group(group);
  add_set_option(app, options.settings)->group(group);
  add_option(app,
             {"--fallback-policy", "FILE|NAME",
              "takes over when the policy has failed five "
              "ticks in a row"},
             into_text(options.fallback_policy))
      ->group(group);
  add_policy_limit_options(app, options.policy_limits, group);
}

void add_connection_options(CLI::App& app, RunOptions& options) {
  const std::string group = "Host";
  add_option(app,
             {"-c,--connect", "URI",
              "the hypervisor: a libvirt URI (default: "
              "LIBVIRT_DEFAULT_URI, else qemu:///system), or a simulated host: sim:, "
              "sim:SCENARIO, sim:FILE.lua"},
             into_text(options.connect))
      ->group(group);
  add_repeated_option(app, {"--include", "GLOB", "only domains with such a name; repeatable"},
                      append_to(options.include))
      ->group(group);
  add_repeated_option(app,
                      {"--exclude", "GLOB",
                       "no domain with such a name; repeatable, wins over "
                       "--include"},
                      append_to(options.exclude))
      ->group(group);
  add_option(app, {"--lanes", "N", "most libvirt connections that work side by side; default 4"},
             into(options.lanes, whole_number({1, 64})))
      ->group(group);
  app.add_flag("--fast", options.fast, "do not wait between ticks (simulated hosts)")->group(group);
}

void add_loop_options(CLI::App& app, RunOptions& options) {
  const std::string group = "Run";
  app.add_option_function<std::string>(
         "--interval,INTERVAL", [&options](const std::string& text) { options.interval = text; },
         "time from tick to tick: seconds, or with a unit (500ms, 2s, 1m); default 1")
      ->type_name("TIME")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->group(group);
  add_option(app, {"-n,--ticks", "N", "end after so many ticks"},
             into(options.ticks, whole_number({1, kMost})))
      ->group(group);
  app.add_flag("--dry-run", options.dry_run, "decide and show, move nothing")->group(group);
  app.add_flag("--exit-when-idle", options.exit_when_idle,
               "end at the first tick without active domains instead of waiting for some")
      ->group(group);
  app.add_flag("--restore-on-exit", options.restore_on_exit,
               "at the end, give every domain back the memory it had")
      ->group(group);
}

void add_output_options(CLI::App& app, RunOptions& options) {
  const std::string group = "Output";
  add_option(app, {"-j,--journal", "FILE", "write every tick to FILE, a line of JSON each"},
             into_text(options.journal))
      ->group(group);
  app.add_flag("--json", options.json, "print a line of JSON a tick instead of tables")
      ->group(group);
  add_choice(app, "--log-level", {kLogLevels.begin(), kLogLevels.end()},
             "what is told on standard error; default info",
             [&options](std::size_t index) { options.log_level = kLogLevels.at(index); })
      ->group(group);
  add_color_option(app, options.color);
  app.get_option("--color")->group(group);
}

}  // namespace

void add_run_options(CLI::App& app, RunOptions& options) {
  add_loop_options(app, options);
  add_policy_options(app, options);
  add_connection_options(app, options);
  add_guard_options(app, options.limits);
  add_output_options(app, options);
  add_option(app,
             {"--config", "FILE",
              "read options from a file: a line each, such as journal = "
              "\"ticks.jsonl\"; the command line wins"},
             into_text(options.config))
      ->group("General")
      ->configurable(false);
}

Result<Duration> interval_of(const RunOptions& options, const CLI::App& app) {
  if (options.interval.empty()) return kDefaultInterval;
  auto interval = parse_duration(options.interval);
  if (interval) return interval;
  Error error = interval.error();
  error.object = "INTERVAL";
  const bool word = std::all_of(options.interval.begin(), options.interval.end(),
                                [](unsigned char c) { return std::isalpha(c) != 0; });
  if (!word) return fail(error);
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(command->get_name());
  }
  const auto nearest = nearest_name(options.interval, commands);
  return fail(ErrorCode::invalid_input, options.interval, "neither a command nor a time",
              nearest ? "did you mean " + *nearest + "?" : "see 'memcoord --help'");
}

}  // namespace memcoord::cli
