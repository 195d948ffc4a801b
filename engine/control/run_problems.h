#pragma once
// What is wrong with a run as a whole: with its host, its policy, or its ticks.

#include <optional>
#include <string>
#include <vector>

#include "engine/control/run_state.h"
#include "engine/core/time.h"

namespace memcoord::control {

struct Problem {
  std::string domain;  ///< empty for a problem of the host or the run
  std::string text;
  std::optional<WallTime> since;
};

/// The problems of the host and the run, of domains none. Without a tick there are none. A text
/// names what fails: "The policy bad fails: bad.lua:3: broke".
std::vector<Problem> run_problems(const RunState::View& view, WallTime now, Duration interval);

/// " (since 10:15:02)", with the date if that is another day; empty without a time. `local`: in
/// local time, otherwise UTC.
std::string since_text(const std::optional<WallTime>& since, WallTime now, bool local);

}  // namespace memcoord::control
