#include "bindings/testing/shown_value.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bindings/sandbox.h"
#include "engine/core/memory_size.h"

namespace memcoord::bindings::testing {
namespace {

constexpr std::size_t kMostItems = 12;
constexpr int kDeepestShown = 3;
// What showing one entry counts as, in instructions.
constexpr std::uint64_t kWorkAnItem = 20;

std::string shown_at(lua_State* lua, int index, int depth);

/// Numbers from one MiB on are sizes more often than not; the bare number stands beside.
std::string shown_integer(lua_Integer number) {
  std::string plain = std::to_string(number);
  if (number > -1024 && number < 1024) return plain;
  const std::uint64_t kib =
      number < 0 ? 0U - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  return (number < 0 ? "-" : "") + MemorySize::from_kib(kib).text() + " (" + plain + ")";
}

std::string shown_number(lua_Number number) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.14g", number);
  return text.data();
}

std::string shown_table(lua_State* lua, int index, int depth) {
  if (depth > kDeepestShown) return "{ ... }";
  std::vector<std::string> items;
  const auto length = static_cast<lua_Integer>(lua_rawlen(lua, index));
  for (lua_Integer i = 1; i <= length && items.size() <= kMostItems; ++i) {
    lua_rawgeti(lua, index, i);
    items.push_back(shown_at(lua, lua_gettop(lua), depth + 1));
    lua_pop(lua, 1);
  }
  std::vector<std::string> named;
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    charge(lua, kWorkAnItem);
    if (lua_type(lua, -2) == LUA_TSTRING) {
      named.push_back(printable(lua_tostring(lua, -2), 60) + " = " +
                      shown_at(lua, lua_gettop(lua), depth + 1));
    }
    lua_pop(lua, 1);
  }
  std::sort(named.begin(), named.end());
  items.insert(items.end(), named.begin(), named.end());
  std::string text = "{";
  for (std::size_t i = 0; i < std::min(items.size(), kMostItems); ++i) {
    text += (i == 0 ? " " : ", ") + items[i];
  }
  if (items.size() > kMostItems) text += ", ...";
  return text + (items.empty() ? "}" : " }");
}

std::string shown_at(lua_State* lua, int index, int depth) {
  luaL_checkstack(lua, 6, "nested tables");
  switch (lua_type(lua, index)) {
    case LUA_TNIL:
      return "nil";
    case LUA_TBOOLEAN:
      return lua_toboolean(lua, index) != 0 ? "true" : "false";
    case LUA_TNUMBER:
      return lua_isinteger(lua, index) != 0 ? shown_integer(lua_tointeger(lua, index))
                                            : shown_number(lua_tonumber(lua, index));
    case LUA_TSTRING: {
      std::size_t length = 0;
      const char* text = lua_tolstring(lua, index, &length);
      return "\"" + printable({text, length}, 300) + "\"";
    }
    case LUA_TTABLE:
      return shown_table(lua, index, depth);
    default:
      return std::string("a ") + luaL_typename(lua, index);
  }
}

}  // namespace

std::string shown_value(lua_State* lua, int index) {
  return shown_at(lua, lua_absindex(lua, index), 0);
}

}  // namespace memcoord::bindings::testing
