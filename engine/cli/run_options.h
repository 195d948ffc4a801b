#pragma once
// What a run can be told: the options of `memcoord` itself.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/policy_options.h"
#include "engine/cli/terminal.h"
#include "engine/core/limits.h"
#include "engine/core/time.h"

namespace memcoord::cli {

struct Command;

inline constexpr std::string_view kDefaultPolicy = "adaptive";

struct RunOptions {
  std::string policy{kDefaultPolicy};
  std::optional<std::string> fallback_policy;
  std::map<std::string, std::string> settings;  ///< --set: the policy's parameters
  PolicyLimitOptions policy_limits;

  std::optional<std::string> connect;  ///< none: libvirt's default
  std::size_t lanes = 4;
  bool fast = false;
  bool keep_periods = false;

  std::string interval;  ///< read after all else: a stray word here may be a misspelt command
  std::optional<std::int64_t> ticks;
  bool exit_when_idle = false;
  bool dry_run = false;
  bool restore_on_exit = false;
  std::vector<std::string> include;
  std::vector<std::string> exclude;

  Limits limits;

  std::string journal;
  std::string config;
  std::string log_level = "info";
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

/// Adds all of them to the program; `options` outlives it.
void add_run_options(Command& program, RunOptions& options);

/// The interval asked for, or the default. Errors: invalid_input; a word that is no time at all may
/// be a misspelt command, which is then named.
Result<Duration> interval_of(const RunOptions& options, const Command& program);

}  // namespace memcoord::cli
