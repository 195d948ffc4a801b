#include "engine/cli/run_options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <utility>

#include "engine/cli/command.h"
#include "engine/core/names.h"
#include "engine/core/printable.h"
#include "engine/observers/journal.h"
#include "engine/screen/screen_state.h"

namespace memcoord::cli {
namespace {

// Refuses a value that is laxer than the default, so that the error names the option or the line of
// the configuration.
template <class Field, class Parse>
TakeText into_limit(Limits& limits, Field Limits::*field, Parse parse) {
  return [&limits, field, parse](const std::string& text) -> Status {
    const auto value = parse(text);
    if (!value) return fail(value.error());
    Limits wanted;
    wanted.*field = *value;
    if (auto checked = Limits::checked(wanted); !checked) {
      Error error = checked.error();
      error.object.clear();  // the caller adds the option's name
      return fail(std::move(error));
    }
    limits.*field = *value;
    return {};
  };
}

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

constexpr std::array<const char*, 5> kLogLevels{"debug", "info", "warning", "error", "off"};

auto whole_number(Bounds bounds) {
  return [bounds](const std::string& text) { return parse_whole_number(text, bounds); };
}

Result<std::string> parse_metrics_file(const std::string& path) {
  if (path.ends_with(".prom")) return path;
  return fail(
      ErrorCode::invalid_input, "",
      path.empty() ? "the value is empty" : "'" + printable(path, 200) + "' does not end in .prom",
      "node_exporter reads *.prom only");
}

void add_policy_options(Command& command, RunOptions& options) {
  const std::string group = "Policy";
  add_option(
      command,
      {"-p,--policy", "FILE|NAME",
       "the policy: a Lua file, or a bundled policy ('memcoord policies' lists them); default " +
           std::string(kDefaultPolicy),
       group},
      into_text(options.policy));
  add_set_option(command, options.settings, group);
  add_option(command,
             {"--fallback-policy", "FILE|NAME",
              "the policy that decides after --policy has failed five ticks in a row; default none",
              group},
             into_text(options.fallback_policy));
  add_policy_limit_options(command, options.policy_limits, group, "100ms, with --no-wait 10s");
}

void add_filter_options(Command& command, RunOptions& options, const std::string& group) {
  add_repeated_option(
      command, {"--include", "GLOB", "balance only domains whose name matches; repeatable", group},
      append_to(options.include));
  add_repeated_option(
      command,
      {"--exclude", "GLOB",
       "do not touch domains whose name matches; repeatable, wins over --include", group},
      append_to(options.exclude));
}

void add_connection_options(Command& command, RunOptions& options) {
  const std::string group = "Host";
  add_option(command,
             {"-c,--connect", "URI",
              "the host: a libvirt URI (default LIBVIRT_DEFAULT_URI, else qemu:///system), or a "
              "simulated host (sim:, sim:SCENARIO, sim:FILE.lua)",
              group},
             into_text(options.connect));
  add_filter_options(command, options, group);
  add_option(command,
             {"--connections", "N", "the maximum number of parallel libvirt connections; default 4",
              group},
             into(options.connections, whole_number({1, 64})));
  add_flag(command,
           {"--keep-periods",
            "leave statistics periods alone: ask no guest for a report between those of its period",
            group},
           options.keep_periods);
  add_flag(command, {"--no-wait", "do not wait between ticks (simulated hosts only)", group},
           options.no_wait);
}

void add_loop_options(Command& command, RunOptions& options) {
  const std::string group = "Run";
  add_argument(
      command,
      {"--interval,INTERVAL", "TIME",
       "time between ticks: seconds, or a number with its unit (500ms, 2s, 1m); default 1s", group},
      options.interval);
  // On the command line the word may be meant as a command: interval_of() checks it.
  command.options.back().check_in_file = [](const std::string& text) -> Status {
    const auto interval = parse_duration(text);
    if (interval) return {};
    Error error = interval.error();
    error.object = "interval";
    return fail(error);
  };
  add_min_interval_option(command, options.min_interval, group);
  add_option(command, {"-n,--ticks", "N", "end after N ticks", group},
             into(options.ticks, whole_number({1, kMost})));
  add_flag(command, {"--dry-run", "decide and report, but move nothing", group}, options.dry_run);
  add_flag(command,
           {"--exit-when-idle",
            "end at the first tick without active domains; without it, memcoord waits for domains",
            group},
           options.exit_when_idle);
  add_flag(command,
           {"--restore-on-exit",
            "at the end, restore the memory that each domain had before its first move", group},
           options.restore_on_exit);
}

void add_metrics_options(Command& command, RunOptions& options) {
  const std::string group = "Metrics";
  add_option(
      command,
      {"--metrics", "ADDRESS",
       "serve the live page, metrics and queries over HTTP at PORT (this host only), IP:PORT "
       "or [IP6]:PORT",
       group},
      into(options.metrics, control::parse_tcp_address));
  add_option(command,
             {"--metrics-token", "FILE",
              "the file with the token that clients of --metrics need for every path but /metrics; "
              "only its owner and group may read it",
              group},
             into_text(options.metrics_token));
  add_repeated_option(
      command,
      {"--metrics-host", "NAME",
       "another name by which clients of --metrics reach this host; repeatable", group},
      [&options](const std::string& text) -> Status {
        auto name = control::parse_host_name(text);
        if (!name) return fail(name.error());
        options.metrics_hosts.push_back(*std::move(name));
        return {};
      });
  add_option(command,
             {"--metrics-file", "FILE",
              "write the metrics to FILE after each tick, for node_exporter's textfile collector, "
              "which reads *.prom",
              group},
             into(options.metrics_file, parse_metrics_file));
  add_choice(command,
             {"--metrics-domains", "",
              "whether the metrics include single domains, beside the host; default on", group},
             {"on", "off"},
             [&options](std::size_t index) { options.metrics_domains = index == 0; });
}

void add_journal_limit_options(Command& command, RunOptions& options, const std::string& group) {
  add_option(
      command,
      {"--journal-max", "SIZE",
       "the most that the journal may take: a folder loses its oldest ticks, a FILE is rotated "
       "to FILE.1; at least 1MiB, default no limit",
       group},
      into(options.journal_max, parse_journal_max));
  add_option(command,
             {"--journal-keep", "TIME",
              "how long a folder keeps ticks, such as 12h or 30d; default as long as --journal-max "
              "allows",
              group},
             into(options.journal_keep, parse_age));
}

void add_output_options(Command& command, RunOptions& options) {
  const std::string group = "Output";
  add_option(
      command,
      {"-j,--journal", "PATH",
       "write each tick as a line of JSON to a file, or to a folder (a path that ends in / is "
       "created), where older ticks are packed",
       group},
      into_text(options.journal));
  add_journal_limit_options(command, options, group);
  add_option(command,
             {"--control", "PATH|off",
              "the Unix socket for 'memcoord status' and the other commands that reach this run; "
              "default " +
                  std::string(kServiceSocket) + " if its folder is writable",
              group},
             into_text(options.control));
  add_flag(command, {"--json", "print each tick as a line of JSON instead of a table", group},
           options.json);
  add_choice(
      command,
      {"--log-level", "", "the lowest severity of messages on standard error; default info", group},
      {kLogLevels.begin(), kLogLevels.end()},
      [&options](std::size_t index) { options.log_level = kLogLevels.at(index); });
  add_view_options(command, options.view, group);
  add_units_option(command, options.limits.units, group);
  add_color_option(command, options.color, group);
}

}  // namespace

Result<MemorySize> parse_journal_max(const std::string& text) {
  auto size = parse_size(text);
  if (!size || *size >= observers::JournalWriter::kLeastLimit) return size;
  return fail(ErrorCode::invalid_input, "", text + " is too small for ticks",
              "expected 1MiB or more");
}

TakeText append_to(std::vector<std::string>& patterns) {
  return [&patterns](const std::string& text) -> Status {
    if (text.empty())
      return fail(ErrorCode::invalid_input, "", "the pattern is empty",
                  "expected a glob such as web-*");
    patterns.push_back(text);
    return {};
  };
}

void add_min_interval_option(Command& command, Duration& target, const std::string& group) {
  add_option(command,
             {"--min-interval", "TIME",
              "the least time between ticks, where memory is short or the policy asks for an early "
              "one; 0, or the interval and more, turns early ticks off; default 200ms",
              group},
             into(target, parse_min_interval));
}

void add_guard_options(Command& command, Limits& limits) {
  const std::string group = "Guard (only stricter values are accepted, except for --overcommit)";
  add_option(command,
             {"--domain-floor", "SIZE",
              "headroom that every domain keeps; default and minimum 100MiB", group},
             into_limit(limits, &Limits::domain_floor, parse_size));
  add_option(
      command,
      {"--host-floor", "SIZE", "memory that the host keeps; default and minimum 200MiB", group},
      into_limit(limits, &Limits::host_floor, parse_size));
  add_option(
      command,
      {"--max-reclaim", "SHARE",
       "the share of a domain's headroom that a tick may reclaim; default and maximum 50%", group},
      into_limit(limits, &Limits::max_reclaim, parse_share));
  add_choice(
      command,
      {"--headroom", "",
       "the memory that counts as headroom. Of a guest: its unused memory (without page cache), "
       "its usable memory (what it can allocate without swapping) or the larger of the two; "
       "of the host: free, available or the larger of the two. Default larger",
       group},
      {"larger", "unused", "usable"},
      [&limits](std::size_t index) { limits.headroom = static_cast<Headroom>(index); });
  add_option(command,
             {"--host-memory", "SIZE",
              "the memory that all guests may have together; default and maximum the host's memory",
              group},
             into_limit(limits, &Limits::host_memory, parse_size));
  add_option(
      command,
      {"--overcommit", "RATIO",
       "how much memory the host may commit to guests, its floor and itself, as a multiple of "
       "its memory; over 1 only with swap or free page reporting; default 1",
       group},
      into_limit(limits, &Limits::overcommit, parse_ratio));
}

void add_run_options(Command& command, RunOptions& options) {
  add_loop_options(command, options);
  add_policy_options(command, options);
  add_connection_options(command, options);
  add_guard_options(command, options.limits);
  add_output_options(command, options);
  add_metrics_options(command, options);
  add_option(command,
             {"--config", "FILE",
              "read options from a TOML file with lines such as journal = \"ticks.jsonl\"; the "
              "command line wins",
              kGeneralGroup, false, false},
             into_text(options.config));
  add_flag(command,
           {"--check-config",
            "check the file of --config, its policies and its token, and end; connect to no host",
            kGeneralGroup},
           options.check_config);
  command.options.back().configurable = false;
}

Status check_together(const RunOptions& options) {
  constexpr auto kInvalid = ErrorCode::invalid_input;
  if (options.check_config && options.config.empty()) {
    return fail(kInvalid, "--check-config", "needs a configuration", "add --config FILE");
  }
  if (options.journal_max && options.journal.empty()) {
    return fail(kInvalid, "--journal-max", "limits a journal, but there is none",
                "add --journal FILE");
  }
  if (options.journal_keep && options.journal.empty()) {
    return fail(kInvalid, "--journal-keep", "limits a journal, but there is none",
                "add --journal DIR/");
  }
  if (options.metrics) return {};
  if (!options.metrics_token.empty()) {
    return fail(kInvalid, "--metrics-token", "needs --metrics", "add --metrics ADDRESS");
  }
  if (!options.metrics_hosts.empty()) {
    return fail(kInvalid, "--metrics-host", "needs --metrics", "add --metrics ADDRESS");
  }
  return {};
}

void add_view_options(Command& command, observers::TableView& view, const std::string& group) {
  std::vector<std::string> columns;
  columns.reserve(observers::kSortColumnCount);
  for (int i = 0; i < observers::kSortColumnCount; ++i) {
    columns.emplace_back(to_text(static_cast<observers::SortColumn>(i)));
  }
  add_choice(
      command,
      {"--sort", "", "the column that sorts the domains on the screen; default trouble", group},
      columns, [&view](std::size_t index) {
        const auto sorted = screen::sorted_by(static_cast<observers::SortColumn>(index));
        view.sort = sorted.sort;
        view.descending = sorted.descending;
      });
  add_choice(command,
             {"--only", "", "show only domains in trouble, or only domains that move", group},
             {"trouble", "moved"}, [&view](std::size_t index) {
               view.only = index == 0 ? observers::TableView::Only::trouble
                                      : observers::TableView::Only::moved;
             });
}

Result<Duration> interval_of(const RunOptions& options, const Command& program) {
  if (options.interval.empty()) return kDefaultInterval;
  auto interval = parse_duration(options.interval);
  if (interval) return interval;
  const bool named =
      std::any_of(program.options.begin(), program.options.end(),
                  [](const Option& option) { return option.named && !option.argument.empty(); });
  const std::string& word = options.interval;
  if (!named) {
    auto neither = neither_command_nor_time(word, program, is_bundled_or_file);
    if (neither) return fail(*std::move(neither));
  }
  Error error = interval.error();
  error.object = named ? "--interval" : "INTERVAL";
  return fail(std::move(error));
}

}  // namespace memcoord::cli
