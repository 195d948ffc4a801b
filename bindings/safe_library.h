#pragma once
// The part of Lua's standard library that is safe for policies: no function hangs or leaks.
// memcoord implements some of its functions anew.

#include <cstddef>

struct lua_State;

namespace memcoord::bindings {

/// Fills the registry with the safe globals. Call it once, on a new state.
void open_safe_library(lua_State* lua);
/// Pushes the _ENV of scripts: it reads the safe globals and refuses writes.
void push_safe_globals(lua_State* lua);
/// Pops the value on top of the stack and makes it a safe global.
void set_safe_global(lua_State* lua, const char* name);
/// Call it before glob_matches() on texts of these lengths: charges the work, and raises if they
/// are too long for one step.
void charge_glob(lua_State* lua, std::size_t pattern, std::size_t text);

// The library's parts, a file each.

/// Pushes a table of insert, remove, move, concat, unpack, pack and sort. They use the raw length,
/// so that no __len can mislead them, and charge for every slot.
void push_table_library(lua_State* lua);

/// setmetatable(). The table gets a private copy of the metatable, which no script can reach or
/// change after the check. Refuses __gc and __mode, and takes only functions written in Lua as
/// __call and __close: Lua follows chains of __call, and runs what is to be closed, without
/// executing an instruction.
int safe_setmetatable(lua_State* lua);
/// getmetatable(): the table that a script gave to setmetatable(), or its __metatable.
int safe_getmetatable(lua_State* lua);

/// The scripts' fair_share(total, wants, weights), as docs/policy-api.md says.
int fair_share(lua_State* lua);

}  // namespace memcoord::bindings
