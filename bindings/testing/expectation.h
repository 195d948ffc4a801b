#pragma once
// expect(value):equals(...) and its like.

struct lua_State;

namespace memcoord::bindings::testing {

/// Makes `expect` and `expect_error` globals of the scripts. To be called within Sandbox::run().
void open_expectations(lua_State* lua);

}  // namespace memcoord::bindings::testing
