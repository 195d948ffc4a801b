#pragma once
// The manual page memcoord(1), from the program's own description of its options.

#include <string>
#include <string_view>

#include "engine/cli/command.h"

namespace memcoord::cli {

/// In the man macros of roff, see groff_man(7).
std::string manual_page(const Command& program);

/// The word, not shown in the help, under which the build asks for it.
inline constexpr std::string_view kManualWord = "__manual";

}  // namespace memcoord::cli
