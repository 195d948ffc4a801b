#pragma once
// The manual pages that follow from the description of commands and options, in the man macros of
// roff (groff_man(7)). The build prints them with a hidden command; docs/policy-api.md becomes the
// third page.

#include <string>
#include <string_view>
#include <vector>

#include "engine/cli/command.h"

namespace memcoord::cli {

/// A page's footer: the release, and the day of the release ("2026-11-26").
struct ManualRelease {
  std::string_view version;
  std::string_view day;
};

/// memcoord(1): every option and command.
std::string program_page(const Command& program, const ManualRelease& release);

/// memcoord.toml(5): every option of `program` that a configuration file may set.
std::string configuration_page(const Command& program, const ManualRelease& release);

/// The hidden command: "__manual 1" or "__manual 5".
inline constexpr std::string_view kManualWord = "__manual";

/// The page that the words behind the hidden command ask for. Errors: invalid_input.
Result<std::string> manual_page(const Command& program, const std::vector<std::string>& words,
                                const ManualRelease& release);

}  // namespace memcoord::cli
