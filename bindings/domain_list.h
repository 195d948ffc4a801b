#pragma once
// ctx.domains, and the lists that are chosen from it.

struct lua_State;

namespace memcoord::bindings {

/// Pushes ctx.domains: read-only, always that of the tick under way. Once a state, after
/// open_domain_objects().
void push_domains(lua_State* lua);

}  // namespace memcoord::bindings
