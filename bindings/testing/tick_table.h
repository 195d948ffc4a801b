#pragma once
// A tick as a test sees it.

#include <string>
#include <vector>

#include "bindings/testing/stage.h"
#include "engine/core/tick.h"

struct lua_State;

namespace memcoord::bindings::testing {

/// Pushes the table that policy:tick{} returns: proposals, decisions, silent and after by domain,
/// log, notes, error. Asking it for a domain that was not in the tick is an error with the nearest
/// name.
void push_tick(lua_State* lua, const Tick& tick, const StagedWorld& after);

/// The tick in a few lines, for a failure: who was to get what, and what the guard made of it.
std::vector<std::string> tick_lines(const Tick& tick);

}  // namespace memcoord::bindings::testing
