#pragma once
// The Lua tables of policy tests: the world that a test describes, and the tick that it gets.

#include <string>
#include <string_view>
#include <vector>

#include "bindings/testing/policy_harness.h"
#include "bindings/value.h"
#include "engine/core/error.h"
#include "engine/core/limits.h"
#include "engine/core/tick.h"

struct lua_State;

namespace memcoord::bindings::testing {

/// The test file that a table stands in, and the line of the call that takes it, so that an error
/// in the table names its own line.
struct TableOrigin {
  std::string file;
  std::string_view source;
  int line = 0;
};

/// The default world: a host of 64 GiB, half of it free, without domains.
MockWorld default_world();

/// Applies a tick's table to the world. Names identify domains, `gone = true` removes a domain, and
/// everything that the table does not name stays. docs/writing-policies.md lists the defaults of a
/// new domain. Errors: invalid_input, with file:line and the nearest right name.
Status lay_over(MockWorld& world, const Value& table, const TableOrigin& origin);

/// The limits in the table of a first tick. Errors: also those of Limits::checked().
Result<Limits> limits_in(const Value& table, const TableOrigin& origin);

/// A tick as a test sees it.
struct PlayedTick {
  const Tick& tick;
  const PolicyAnswer& answer;  ///< the policy's
  const MockWorld& after;
};
/// Pushes the table that p:tick{} returns. The name of a domain that was not in the tick, or of a
/// field that a tick has not, is an error with the nearest right name.
void push_tick(lua_State* lua, const PlayedTick& played);

/// The lines that a tick's policy logs, without its name in front, or the other notes.
enum class NotesOf { policy, others };
std::vector<std::string> notes_of(const Tick& tick, NotesOf whom);

/// A tick in at most 13 lines, for a report: each domain's move, and the rules that changed it.
std::vector<std::string> tick_lines(const Tick& tick);

}  // namespace memcoord::bindings::testing
