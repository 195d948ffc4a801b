#include "bindings/read_only.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/ordered_pairs.h"
#include "bindings/sandbox.h"
#include "engine/core/names.h"

namespace memcoord::bindings {
namespace {

int refuse_write(lua_State* lua) {
  const char* what = lua_tostring(lua, lua_upvalueindex(1));
  const char* name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
  raise(lua, std::string(what) + " cannot be changed (assigning '" + printable(name, 40) + "')");
}

/// Names that people reach for, and what there is instead.
constexpr std::array<std::pair<const char*, const char*>, 12> kInstead{{
    {"print", "use ctx.log.info(text)"},
    {"require", "a policy is one file"},
    {"load", "a policy cannot load code"},
    {"loadstring", "a policy cannot load code"},
    {"dofile", "a policy is one file"},
    {"io", "a policy reads and writes no files"},
    {"os", "a policy has no clock and no system; ctx.seconds is the time since the last tick"},
    {"debug", "it is not available to policies"},
    {"coroutine", "it is not available to policies"},
    {"collectgarbage", "it is not available to policies"},
    {"find", "there are no patterns, since they can run without end; use glob(pattern, text)"},
    {"match", "there are no patterns, since they can run without end; use glob(pattern, text)"},
}};

// What a message costs, and each name that the misspelt one is compared with, in instructions.
constexpr std::uint64_t kMessageWork = 200;
constexpr std::uint64_t kWorkAName = 50;
constexpr std::size_t kMostNamesCompared = 256;

int missing_name(lua_State* lua) {
  const char* what = lua_tostring(lua, lua_upvalueindex(1));
  if (lua_type(lua, 2) != LUA_TSTRING) {
    lua_pushnil(lua);
    return 1;
  }
  raise_unknown_name(lua, lua_upvalueindex(2), what, lua_tostring(lua, 2));
}

/// Upvalue 1: the table behind the view, which must not get into a script's hands.
int pairs_of_view(lua_State* lua) {
  push_ordered_iterator(lua, lua_upvalueindex(1));
  return 1;
}

/// The text keys of a table, as far as they can be meant by a misspelt one; none of a table that
/// has very many.
std::vector<std::string> names_in(lua_State* lua, int table) {
  std::vector<std::string> names;
  charge(lua, kMessageWork);
  std::size_t visited = 0;
  lua_pushnil(lua);
  while (lua_next(lua, table) != 0) {
    if (++visited > kMostNamesCompared) {
      lua_pop(lua, 2);
      return {};
    }
    const bool likely =
        lua_type(lua, -2) == LUA_TSTRING && lua_rawlen(lua, -2) <= kLongestLikelyName;
    if (likely) names.emplace_back(lua_tostring(lua, -2));
    lua_pop(lua, 1);
  }
  charge(lua, names.size() * kWorkAName);
  return names;
}

}  // namespace

void raise_unknown_name(lua_State* lua, int table, const char* what, const char* name) {
  for (const auto& [wanted, instead] : kInstead) {
    if (std::string_view(name) == wanted) {
      raise(lua, std::string(what) + " has no '" + name + "': " + instead);
    }
  }
  table = lua_absindex(lua, table);
  std::vector<std::string> names = names_in(lua, table);
  std::sort(names.begin(), names.end());
  std::string message = std::string(what) + " has no '" + printable(name, 40) + "'";
  if (const auto near = nearest_name(name, names)) message += "; did you mean '" + *near + "'?";
  raise(lua, message);
}

void make_read_only(lua_State* lua, const char* what) {
  const int table = lua_gettop(lua);
  lua_newtable(lua);  // the view
  lua_newtable(lua);  // its metatable
  // A missing name is found out by the hidden table's own metatable.
  lua_newtable(lua);
  lua_pushstring(lua, what);
  lua_pushvalue(lua, table);
  lua_pushcclosure(lua, missing_name, 2);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, table);
  lua_pushvalue(lua, table);
  lua_setfield(lua, -2, "__index");
  lua_pushstring(lua, what);
  lua_pushcclosure(lua, refuse_write, 1);
  lua_setfield(lua, -2, "__newindex");
  lua_pushvalue(lua, table);
  lua_pushcclosure(lua, pairs_of_view, 1);
  lua_setfield(lua, -2, "__pairs");
  lua_pushstring(lua, what);
  lua_setfield(lua, -2, kReadOnlyMark);
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_replace(lua, table);
}

void check_own_table(lua_State* lua, int table) {
  luaL_checktype(lua, table, LUA_TTABLE);
  if (luaL_getmetafield(lua, table, kReadOnlyMark) == LUA_TNIL) return;
  const std::string what = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "this";
  raise(lua, what + " is no table of your own; next() and table.* cannot work on it");
}

}  // namespace memcoord::bindings
