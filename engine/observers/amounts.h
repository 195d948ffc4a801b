#pragma once
// Times and counts as people read them.

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/time.h"

namespace memcoord::observers {

/// A measured time in whole units, the two largest: "90 s", "3 min 20 s", "2 h 5 min", "3 d".
std::string duration_text(Duration duration);
/// A time that somebody has chosen: "0.5 s", "90 s", "10 min".
std::string set_time_text(Duration time);

/// "1 domain", "2 domains": for words whose plural ends in "s".
std::string counted(std::uint64_t n, std::string_view one);

}  // namespace memcoord::observers
