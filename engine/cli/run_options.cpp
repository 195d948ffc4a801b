#include "engine/cli/run_options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

#include "engine/cli/guard_options.h"
#include "engine/cli/option_values.h"
#include "engine/cli/options.h"
#include "engine/core/names.h"

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

void add_policy_options(Command& command, RunOptions& options) {
  const std::string group = "Policy";
  add_option(command,
             {"-p,--policy", "FILE|NAME",
              "what decides: a Lua file, or a bundled policy (see "
              "'memcoord policies'); default " +
                  std::string(kDefaultPolicy),
              group},
             into_text(options.policy));
  add_set_option(command, options.settings, group);
  add_option(command,
             {"--fallback-policy", "FILE|NAME",
              "takes over when the policy has failed five "
              "ticks in a row",
              group},
             into_text(options.fallback_policy));
  add_policy_limit_options(command, options.policy_limits, group);
}

void add_connection_options(Command& command, RunOptions& options) {
  const std::string group = "Host";
  add_option(command,
             {"-c,--connect", "URI",
              "the hypervisor: a libvirt URI (default: "
              "LIBVIRT_DEFAULT_URI, else qemu:///system), or a simulated host: sim:, "
              "sim:SCENARIO, sim:FILE.lua",
              group},
             into_text(options.connect));
  add_repeated_option(command,
                      {"--include", "GLOB", "only domains with such a name; repeatable", group},
                      append_to(options.include));
  add_repeated_option(command,
                      {"--exclude", "GLOB",
                       "no domain with such a name; repeatable, wins over "
                       "--include",
                       group},
                      append_to(options.exclude));
  add_option(command,
             {"--lanes", "N", "most libvirt connections that work side by side; default 4", group},
             into(options.lanes, whole_number({1, 64})));
  add_flag(command,
           {"--keep-periods",
            "leave statistics periods alone that others have set; else those longer than the "
            "interval are shortened while memcoord works",
            group},
           options.keep_periods);
  add_flag(command, {"--fast", "do not wait between ticks (simulated hosts)", group}, options.fast);
}

void add_loop_options(Command& command, RunOptions& options) {
  const std::string group = "Run";
  add_argument(
      command,
      {"--interval,INTERVAL", "TIME",
       "time from tick to tick: seconds, or with a unit (500ms, 2s, 1m); default 1", group},
      options.interval);
  add_option(command, {"-n,--ticks", "N", "end after so many ticks", group},
             into(options.ticks, whole_number({1, kMost})));
  add_flag(command, {"--dry-run", "decide and show, move nothing", group}, options.dry_run);
  add_flag(command,
           {"--exit-when-idle",
            "end at the first tick without active domains instead of waiting for some", group},
           options.exit_when_idle);
  add_flag(command,
           {"--restore-on-exit", "at the end, give every domain back the memory it had", group},
           options.restore_on_exit);
}

void add_output_options(Command& command, RunOptions& options) {
  const std::string group = "Output";
  add_option(command,
             {"-j,--journal", "FILE", "write every tick to FILE, a line of JSON each", group},
             into_text(options.journal));
  add_flag(command, {"--json", "print a line of JSON a tick instead of tables", group},
           options.json);
  add_choice(command, {"--log-level", "", "what is told on standard error; default info", group},
             {kLogLevels.begin(), kLogLevels.end()},
             [&options](std::size_t index) { options.log_level = kLogLevels.at(index); });
  add_units_option(command, options.limits.units, group);
  add_color_option(command, options.color, group);
}

}  // namespace

void add_run_options(Command& command, RunOptions& options) {
  add_loop_options(command, options);
  add_policy_options(command, options);
  add_connection_options(command, options);
  add_guard_options(command, options.limits);
  add_output_options(command, options);
  add_option(command,
             {"--config", "FILE",
              "read options from a file: a line each, such as journal = "
              "\"ticks.jsonl\"; the command line wins",
              kGeneralGroup, false, false},
             into_text(options.config));
}

Result<Duration> interval_of(const RunOptions& options, const Command& program) {
  if (options.interval.empty()) return kDefaultInterval;
  auto interval = parse_duration(options.interval);
  if (interval) return interval;
  Error error = interval.error();
  error.object = "INTERVAL";
  const bool word = std::all_of(options.interval.begin(), options.interval.end(),
                                [](unsigned char c) { return std::isalpha(c) != 0; });
  if (!word) return fail(error);
  std::vector<std::string> commands;
  for (const Command& command : program.commands) commands.push_back(command.name);
  const auto nearest = nearest_name(options.interval, commands);
  return fail(ErrorCode::invalid_input, options.interval, "neither a command nor a time",
              nearest ? "did you mean " + *nearest + "?" : "see 'memcoord --help'");
}

}  // namespace memcoord::cli
