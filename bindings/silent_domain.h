#pragma once
// ctx.silent: the domains that cannot be moved this tick, and why.

struct lua_State;

namespace memcoord::bindings {

/// Makes the metatables; once a state.
void open_silent_domains(lua_State* lua);
/// Pushes the list of the tick under way.
void push_silent_domains(lua_State* lua);

}  // namespace memcoord::bindings
