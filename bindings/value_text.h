#pragma once
// Plain data as the text of a Lua file that returns it.

#include <string>

#include "bindings/value.h"

namespace memcoord::bindings {

/// "return {...}": evaluated, it gives an equal value, to the last bit of each number.
std::string lua_text(const Value& value);

}  // namespace memcoord::bindings
