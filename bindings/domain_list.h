#pragma once
// ctx.domains, and the lists that are chosen from it.

#include <string>
#include <vector>

struct lua_State;

namespace memcoord::bindings {

/// What ctx.domains and lists chosen from it can be asked, by name.
std::vector<std::string> domain_list_method_names();
/// Pushes ctx.domains: read-only, always that of the tick under way. Once a state, after
/// open_domain_objects().
void push_domains(lua_State* lua);

}  // namespace memcoord::bindings
