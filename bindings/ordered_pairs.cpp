#include "bindings/ordered_pairs.h"

#include <lauxlib.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "bindings/read_only.h"
#include "bindings/sandbox.h"

namespace memcoord::bindings {
namespace {

/// One key, by what it is ordered by; its place in the list of keys as Lua gave them.
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

/// Pushes the table's keys as Lua gives them; true where they are in order already, as those of a
/// list are.
bool push_keys(lua_State* lua, int table) {
  lua_createtable(lua, static_cast<int>(std::min<std::size_t>(lua_rawlen(lua, table), 1'000'000)),
                  0);
  lua_Integer count = 0;
  bool in_order = true;
  lua_Integer last = 0;
  // No table tells how many slots it has: those found are charged as they come.
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

/// Replaces the list of keys on top by the same in order.
void order_keys(lua_State* lua) {
  const auto count = static_cast<std::size_t>(lua_rawlen(lua, -1));
  charge(lua, 2 * count * std::bit_width(count));
  // In Lua's memory, so that it is counted.
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

/// Upvalues: the table, its keys, how many of them have been visited.
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
    lua_settop(lua, 0);  // removed on the way
  }
  return 1;
}

}  // namespace

void push_ordered_iterator(lua_State* lua, int table) {
  luaL_checkstack(lua, 8, "pairs");
  lua_pushvalue(lua, table);
  if (!push_keys(lua, lua_gettop(lua))) order_keys(lua);
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, next_in_order, 3);
}

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

}  // namespace memcoord::bindings
