#pragma once
// Configuration files: a line an option, by its long name without the dashes, in TOML.
//
//   policy       = "halving"
//   interval     = "2s"
//   exclude      = ["build-*", "scratch"]     # options that may be repeated take a list
//   dry-run      = false
//   domain-floor = "200MiB"
//
//   [set]                                     # the policy's parameters
//   starved_below = "200MiB"

#include <string>
#include <string_view>
#include <vector>

#include "engine/cli/command.h"
#include "engine/core/error.h"

namespace memcoord::cli {

/// One `key = value` with the line it stands on.
struct ConfigurationEntry {
  std::string key;  ///< "policy"; "set" for the parameters of a policy
  std::vector<std::string> values;
  std::size_t line = 0;
  bool operator==(const ConfigurationEntry&) const = default;
};

/// Reads the text of a configuration file; `path` is for errors, all invalid_input with path:line:
/// what stands there and what was expected.
Result<std::vector<ConfigurationEntry>> parse_configuration(std::string_view text,
                                                            const std::string& path);

/// Reads the file and gives its values to the command's options, save those that the command line
/// set (Option::given); those of [set] always.
/// Errors: not_found or permission_denied (the file), invalid_input with path:line (an unknown key
/// with the nearest name, a value that the option refuses).
Status apply_configuration(const std::string& path, const Command& command);
/// The same for a text that is at hand; `path` is for errors.
Status apply_configuration_text(std::string_view text, const std::string& path,
                                const Command& command);

}  // namespace memcoord::cli
