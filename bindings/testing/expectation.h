#pragma once
// expect(value):equals(...) and its like.

#include <string>
#include <vector>

struct lua_State;

namespace memcoord::bindings::testing {

/// What can be expected, by name: equals, ...
std::vector<std::string> expectation_names();
/// Makes `expect` and `expect_error` globals of the scripts. To be called within Sandbox::run().
void open_expectations(lua_State* lua);

}  // namespace memcoord::bindings::testing
