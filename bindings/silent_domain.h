#pragma once
// ctx.silent: the domains that cannot be moved this tick, and why.

#include <string>
#include <vector>

struct lua_State;

namespace memcoord::bindings {

/// What can be read of a domain in it.
std::vector<std::string> silent_domain_field_names();
/// Makes the metatables; once a state.
void open_silent_domains(lua_State* lua);
/// Pushes the list of the tick under way.
void push_silent_domains(lua_State* lua);

}  // namespace memcoord::bindings
