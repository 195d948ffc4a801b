#pragma once
// The world as a policy test writes it: a Lua table, laid over what was said before.

#include <string>
#include <string_view>

#include "bindings/testing/stage.h"
#include "bindings/value.h"
#include "engine/core/error.h"
#include "engine/core/limits.h"

namespace memcoord::bindings::testing {

/// The text that a table came from, and the line of the call that it was given to, so that an error
/// in it names its own line.
struct TableOrigin {
  std::string file;
  std::string_view source;
  int line = 0;
};

/// What stands where a test says nothing: 64 GiB of host, half of it free; no domains.
StagedWorld default_world();

/// Lays a tick's table over the world: what it does not name stays as it was, domains go by their
/// names, `gone = true` takes one away. What a new domain does not say is as
/// docs/testing-policies.md lists. Errors: invalid_input, with file:line and the nearest right
/// name.
Status lay_over(StagedWorld& world, const Value& table, const TableOrigin& origin);

/// The limits that the table of a first tick asks for. Errors: those of Limits::checked() too.
Result<Limits> limits_in(const Value& table, const TableOrigin& origin);

}  // namespace memcoord::bindings::testing
