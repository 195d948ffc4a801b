#pragma once
// pairs() in a fixed order. Lua's own order of text keys changes from run to run, and with it would
// what a policy decides on the same figures.

#include <lua.h>

namespace memcoord::bindings {

/// pairs(t): numbers by value, then texts by their bytes, then domains in name order, then the
/// rest. Fields may be changed and removed on the way; added ones are not visited.
int ordered_pairs(lua_State* lua);
/// Pushes the iterator over the table at an index, which the script does not get to see.
void push_ordered_iterator(lua_State* lua, int table);
/// next(t) and next(t, key), in no order that could be relied on.
int safe_next(lua_State* lua);

}  // namespace memcoord::bindings
