#include "bindings/script_tables.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/sandbox.h"
#include "engine/core/names.h"

namespace memcoord::bindings {
namespace {

// --- pairs() in a fixed order ---

/// A key as pairs() orders it, and its place in the list of keys in Lua's order.
struct Key {
  enum class Kind : std::uint8_t { integer, number, text, object, other };
  Kind kind;
  lua_Integer integer;
  lua_Number number;
  std::uint64_t object;
  std::string_view text;
  lua_Integer place;
};

Key key_at(lua_State* lua, int index, lua_Integer place) {
  Key key{Key::Kind::other, 0, 0, 0, {}, place};
  if (lua_isinteger(lua, index) != 0) {
    key.kind = Key::Kind::integer;
    key.integer = lua_tointeger(lua, index);
    key.number = static_cast<lua_Number>(key.integer);
  } else if (lua_type(lua, index) == LUA_TNUMBER) {
    key.kind = Key::Kind::number;
    key.number = lua_tonumber(lua, index);
  } else if (lua_type(lua, index) == LUA_TSTRING) {
    std::size_t length = 0;
    const char* text = lua_tolstring(lua, index, &length);
    key.kind = Key::Kind::text;
    key.text = {text, length};
  } else if (lua_type(lua, index) == LUA_TUSERDATA && lua_rawlen(lua, index) >= sizeof key.object) {
    // Our own objects begin with their position.
    key.kind = Key::Kind::object;
    std::memcpy(&key.object, lua_touserdata(lua, index), sizeof key.object);
  }
  return key;
}

bool is_number(const Key& key) {
  return key.kind <= Key::Kind::number;
}

bool before(const Key& a, const Key& b) {
  if (is_number(a) && is_number(b)) {
    if (a.kind == Key::Kind::integer && a.kind == b.kind) return a.integer < b.integer;
    return a.number != b.number ? a.number < b.number : a.kind < b.kind;
  }
  if (a.kind != b.kind) return a.kind < b.kind;
  if (a.kind == Key::Kind::text) return a.text < b.text;
  if (a.kind == Key::Kind::object && a.object != b.object) return a.object < b.object;
  return a.place < b.place;
}

constexpr lua_Integer kKeysAtOnce = 64;
constexpr std::size_t kBytesAStep = 256;

/// Pushes the table's keys in Lua's order. Returns true if they are sorted already, as a list's
/// keys are.
bool push_keys(lua_State* lua, int table) {
  lua_createtable(lua, static_cast<int>(std::min<std::size_t>(lua_rawlen(lua, table), 1'000'000)),
                  0);
  lua_Integer count = 0;
  bool in_order = true;
  lua_Integer last = 0;
  // The size of a table is unknown before the walk: keys are charged as they come.
  lua_pushnil(lua);
  while (lua_next(lua, table) != 0) {
    if (count % kKeysAtOnce == 0) charge(lua, kKeysAtOnce);
    lua_pop(lua, 1);
    const lua_Integer integer = lua_tointeger(lua, -1);
    in_order = in_order && lua_isinteger(lua, -1) != 0 && (count == 0 || integer > last);
    last = integer;
    lua_pushvalue(lua, -1);
    lua_rawseti(lua, -3, ++count);
  }
  return in_order || count < 2;
}

/// Replaces the list of keys on top by the sorted list.
void order_keys(lua_State* lua) {
  const auto count = static_cast<std::size_t>(lua_rawlen(lua, -1));
  charge(lua, 2 * count * std::bit_width(count));
  // Uses Lua's memory, so that the meter counts it.
  const std::span<Key> keys(static_cast<Key*>(lua_newuserdatauv(lua, count * sizeof(Key), 0)),
                            count);
  for (std::size_t i = 0; i < count; ++i) {
    lua_rawgeti(lua, -2, static_cast<lua_Integer>(i) + 1);
    keys[i] = key_at(lua, -1, static_cast<lua_Integer>(i) + 1);
    lua_pop(lua, 1);
  }
  Pace pace(lua);
  std::sort(keys.begin(), keys.end(), [&pace](const Key& a, const Key& b) {
    pace.step(1 + std::min(a.text.size(), b.text.size()) / kBytesAStep);
    return before(a, b);
  });
  lua_createtable(lua, static_cast<int>(std::min<std::size_t>(count, 1'000'000)), 0);
  for (std::size_t i = 0; i < count; ++i) {
    lua_rawgeti(lua, -3, keys[i].place);
    lua_rawseti(lua, -2, static_cast<lua_Integer>(i) + 1);
  }
  lua_replace(lua, -3);
  lua_pop(lua, 1);
}

/// Upvalues: the table, its keys, the number of visited ones.
int next_in_order(lua_State* lua) {
  lua_Integer visited = lua_tointeger(lua, lua_upvalueindex(3));
  lua_settop(lua, 0);
  while (lua_rawgeti(lua, lua_upvalueindex(2), ++visited) != LUA_TNIL) {
    lua_pushvalue(lua, 1);
    if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL) {
      lua_pushinteger(lua, visited);
      lua_replace(lua, lua_upvalueindex(3));
      return 2;
    }
    lua_settop(lua, 0);  // the loop has removed it
  }
  return 1;
}

/// Pushes the iterator over the table at an index, which the script does not get hold of.
void push_ordered_iterator(lua_State* lua, int table) {
  luaL_checkstack(lua, 8, "pairs");
  lua_pushvalue(lua, table);
  if (!push_keys(lua, lua_gettop(lua))) order_keys(lua);
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, next_in_order, 3);
}

// --- read-only views and unknown names ---

/// Upvalue 1: the table behind the view, which no script may get hold of.
int pairs_of_view(lua_State* lua) {
  push_ordered_iterator(lua, lua_upvalueindex(1));
  return 1;
}

int refuse_write(lua_State* lua) {
  const char* what = lua_tostring(lua, lua_upvalueindex(1));
  const char* name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
  raise(lua, std::string(what) + " cannot be changed (assigning '" + printable(name, 40) + "')");
}

/// Names that authors expect from Lua, and their replacements.
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
    {"find", "patterns are missing because they can run without end; use glob(pattern, text)"},
    {"match", "patterns are missing because they can run without end; use glob(pattern, text)"},
}};

// A message, and the comparison with one name, in instructions.
constexpr std::uint64_t kMessageWork = 200;
constexpr std::uint64_t kWorkPerName = 50;
constexpr std::size_t kMaxNamesCompared = 256;

int missing_name(lua_State* lua) {
  const char* what = lua_tostring(lua, lua_upvalueindex(1));
  if (lua_type(lua, 2) != LUA_TSTRING) {
    lua_pushnil(lua);
    return 1;
  }
  raise_unknown_name(lua, lua_upvalueindex(2), what, lua_tostring(lua, 2));
}

/// The string keys of a table, as candidates for a misspelt name; none if it has very many keys.
std::vector<std::string> names_in(lua_State* lua, int table) {
  std::vector<std::string> names;
  charge(lua, kMessageWork);
  std::size_t visited = 0;
  lua_pushnil(lua);
  while (lua_next(lua, table) != 0) {
    if (++visited > kMaxNamesCompared) {
      lua_pop(lua, 2);
      return {};
    }
    const bool likely =
        lua_type(lua, -2) == LUA_TSTRING && lua_rawlen(lua, -2) <= kLongestLikelyName;
    if (likely) names.emplace_back(lua_tostring(lua, -2));
    lua_pop(lua, 1);
  }
  charge(lua, names.size() * kWorkPerName);
  return names;
}

}  // namespace

int ordered_pairs(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (luaL_getmetafield(lua, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(lua, 1);
    lua_call(lua, 1, 3);
    return 3;
  }
  luaL_checktype(lua, 1, LUA_TTABLE);
  push_ordered_iterator(lua, 1);
  return 1;
}

int safe_next(lua_State* lua) {
  check_own_table(lua, 1);
  lua_settop(lua, 2);
  return lua_next(lua, 1) != 0 ? 2 : 1;
}

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
  if (const auto near = suggest_name(name, names)) message += "; did you mean '" + *near + "'?";
  raise(lua, message);
}

void make_read_only(lua_State* lua, const char* what) {
  const int table = lua_gettop(lua);
  lua_newtable(lua);  // the view
  lua_newtable(lua);  // its metatable
  // The hidden table's own metatable reports a missing name.
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
  raise(lua, what + " is not a plain table; next() and table.* do not work on it");
}

}  // namespace memcoord::bindings
