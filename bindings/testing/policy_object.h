#pragma once
// policy("halving.lua") in a test file, with its tick{} and run{}.

struct lua_State;

namespace memcoord::bindings::testing {

/// Makes `policy` a global of the scripts. To be called within Sandbox::run().
void open_policy_objects(lua_State* lua);

}  // namespace memcoord::bindings::testing
