#pragma once
// Lua values as the reader of a failed test wants to see them.

#include <string>

struct lua_State;

namespace memcoord::bindings::testing {

/// "1 GiB (1048576)" for what may be a size, "'gradual'" for a text, "{ 'gradual' }" for a short
/// table.
std::string shown_value(lua_State* lua, int index);

}  // namespace memcoord::bindings::testing
