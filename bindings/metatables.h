#pragma once
// setmetatable() and getmetatable(). What a table gets is a private copy of the metatable, which no
// script can reach: what was checked when it was set stays as it was.

#include <lua.h>

namespace memcoord::bindings {

/// Refuses __gc and __mode; takes only functions written in Lua as __call and __close. Lua follows
/// chains of __call, and runs what is to be closed, without executing an instruction.
int safe_setmetatable(lua_State* lua);
/// The table that was given to setmetatable(), or its __metatable.
int safe_getmetatable(lua_State* lua);

}  // namespace memcoord::bindings
