#pragma once
// The part of Lua's standard library that can neither hang nor leak, in part our own.

#include <cstddef>

struct lua_State;

namespace memcoord::bindings {

/// Fills the registry with the safe globals; to be called once, on a new state.
void open_safe_library(lua_State* lua);
/// Pushes what stands for _ENV in scripts: reads the safe globals, refuses to be written to.
void push_safe_globals(lua_State* lua);
/// Adds a safe global, from the top of the stack.
void set_safe_global(lua_State* lua, const char* name);
/// To be called before glob_matches() on texts of such lengths: charges what it can take, refuses
/// what is too long for one step.
void charge_glob(lua_State* lua, std::size_t pattern, std::size_t text);
/// The scripts' fair_share(total, wants, weights), as docs/policy-api.md says.
int fair_share(lua_State* lua);

}  // namespace memcoord::bindings
