#pragma once
// Lua's table library, our own: by raw length, so that no __len lies, and every slot is counted.

struct lua_State;

namespace memcoord::bindings {

/// Pushes a table of insert, remove, move, concat, unpack, pack and sort.
void push_table_library(lua_State* lua);

}  // namespace memcoord::bindings
