#pragma once
// The options of `memcoord` itself, and the guard's options, which the workbench has too.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/terminal.h"
#include "engine/control/tcp_address.h"
#include "engine/core/limits.h"
#include "engine/core/time.h"
#include "engine/observers/domain_table.h"

namespace memcoord::cli {

inline constexpr std::string_view kDefaultPolicy = "adaptive";
/// The control socket of the system's service, which creates its folder.
inline constexpr std::string_view kServiceSocket = "/run/memcoord/control.sock";

struct RunOptions {
  std::string policy{kDefaultPolicy};
  std::optional<std::string> fallback_policy;
  std::map<std::string, std::string> settings;  ///< --set: the policy's parameters
  PolicyLimitOptions policy_limits;

  std::optional<std::string> connect;  ///< unset: libvirt's default
  std::size_t connections = 4;
  bool no_wait = false;
  bool keep_periods = false;

  std::string interval;  ///< parsed last, because a word here may be a misspelt command
  Duration min_interval = kDefaultMinInterval;
  std::optional<std::int64_t> ticks;
  bool exit_when_idle = false;
  bool dry_run = false;
  bool restore_on_exit = false;
  std::vector<std::string> include;
  std::vector<std::string> exclude;

  Limits limits;

  std::string journal;
  std::optional<MemorySize> journal_max;  ///< of all files of the journal together
  std::optional<Duration> journal_keep;   ///< of a folder: older segments are removed
  bool records = false;                   ///< `memcoord record`: no tables, a line of progress
  std::string control;  ///< the control socket's path, "off", or empty for the default
  std::optional<control::TcpAddress> metrics;  ///< that serves metrics and queries; unset: none
  std::string metrics_token;                   ///< the path of the token's file, or empty
  std::vector<std::string> metrics_hosts;      ///< further names of this host, in lower case
  std::string metrics_file;                    ///< its path; empty: none
  bool metrics_domains = true;                 ///< whether there are metrics about single domains
  bool check_config = false;                   ///< check the configuration instead of running
  bool json = false;
  std::string config;
  std::string log_level = "info";
  observers::TableView view;  ///< of the screen: --sort, --only
  ColorChoice color = ColorChoice::automatic;
};

/// Adds all of these options to the program. `options` must outlive it.
void add_run_options(Command& program, RunOptions& options);

/// Refuses an option that needs another one which is not given. Errors: invalid_input with the
/// option as its object.
Status check_together(const RunOptions& options);

/// Adds --sort and --only.
void add_view_options(Command& command, observers::TableView& view, const std::string& group);

/// The interval to use. Errors: invalid_input. A word that is not a time may be a misspelt command,
/// so its error names the nearest command.
Result<Duration> interval_of(const RunOptions& options, const Command& program);

/// Parses --journal-max. Errors: invalid_input.
Result<MemorySize> parse_journal_max(const std::string& text);

/// Adds a pattern over names to a list. Errors: invalid_input for an empty one.
TakeText append_to(std::vector<std::string>& patterns);

/// Adds --min-interval.
void add_min_interval_option(Command& command, Duration& target, const std::string& group);

/// Adds the guard's options under their own heading. A value laxer than the default is refused,
/// except for --overcommit. `limits` must outlive the command.
void add_guard_options(Command& command, Limits& limits);

}  // namespace memcoord::cli
