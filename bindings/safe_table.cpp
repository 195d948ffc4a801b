// memcoord's implementation of Lua's table library.

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "bindings/safe_library.h"
#include "bindings/sandbox.h"
#include "bindings/script_tables.h"

namespace memcoord::bindings {
namespace {

constexpr lua_Integer kMaxSlots = 10'000'000;
constexpr std::uint64_t kMaxUnpacked = 50'000;

/// Charges for reading and writing this many slots; nothing for a negative count.
void charge_slots(lua_State* lua, lua_Integer count) {
  charge(lua, 2 * static_cast<std::uint64_t>(std::max<lua_Integer>(count, 0)));
}

lua_Integer raw_length(lua_State* lua, int table) {
  check_own_table(lua, table);
  return static_cast<lua_Integer>(lua_rawlen(lua, table));
}

int safe_insert(lua_State* lua) {
  const lua_Integer size = raw_length(lua, 1);
  lua_Integer position = size + 1;
  const int arguments = lua_gettop(lua);
  if (arguments == 3) {
    position = luaL_checkinteger(lua, 2);
    luaL_argcheck(lua, position >= 1 && position <= size + 1, 2, "position out of bounds");
    charge_slots(lua, size - position + 1);
    Pace pace(lua);
    for (lua_Integer i = size + 1; i > position; --i) {
      pace.step();
      lua_rawgeti(lua, 1, i - 1);
      lua_rawseti(lua, 1, i);
    }
  } else if (arguments != 2) {
    raise(lua, "table.insert takes a table, perhaps a position, and a value");
  }
  lua_rawseti(lua, 1, position);
  return 0;
}

int safe_remove(lua_State* lua) {
  const lua_Integer size = raw_length(lua, 1);
  const lua_Integer position = luaL_optinteger(lua, 2, size);
  if (lua_gettop(lua) > 1) {
    luaL_argcheck(lua, size + 1 >= position && position >= (size == 0 ? 0 : 1), 2,
                  "position out of bounds");
  }
  charge_slots(lua, size - position);
  lua_rawgeti(lua, 1, position);
  Pace pace(lua);
  for (lua_Integer i = position; i < size; ++i) {
    pace.step();
    lua_rawgeti(lua, 1, i + 1);
    lua_rawseti(lua, 1, i);
  }
  if (position <= size && size > 0) {
    lua_pushnil(lua);
    lua_rawseti(lua, 1, size);
  }
  return 1;
}

int safe_move(lua_State* lua) {
  check_own_table(lua, 1);
  const lua_Integer from = luaL_checkinteger(lua, 2);
  const lua_Integer end = luaL_checkinteger(lua, 3);
  const lua_Integer to = luaL_checkinteger(lua, 4);
  const int target = lua_isnoneornil(lua, 5) ? 1 : 5;
  check_own_table(lua, target);
  if (end >= from) {
    const std::uint64_t span = static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(from);
    if (span >= static_cast<std::uint64_t>(kMaxSlots) ||
        to > std::numeric_limits<lua_Integer>::max() - kMaxSlots) {
      raise(lua, "table.move over too many slots");
    }
    const auto count = static_cast<lua_Integer>(span) + 1;
    charge_slots(lua, count);
    const bool forward = to > end || to <= from || target != 1;
    Pace pace(lua);
    for (lua_Integer step = 0; step < count; ++step) {
      pace.step();
      const lua_Integer i = forward ? step : count - 1 - step;
      lua_rawgeti(lua, 1, from + i);
      lua_rawseti(lua, target, to + i);
    }
  }
  lua_pushvalue(lua, target);
  return 1;
}

/// The length of the items of the table at 1, which must be strings or numbers, with separators.
std::size_t concatenated_length(lua_State* lua, lua_Integer first, lua_Integer last,
                                std::size_t separator) {
  constexpr std::size_t kNumber = 24;
  std::size_t whole = 0;
  Pace pace(lua);
  for (lua_Integer i = first; i <= last && whole <= kLongestText; ++i) {
    pace.step();
    const int type = lua_rawgeti(lua, 1, i);
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
      raise(lua, "table.concat: item " + std::to_string(i) + " is a " + lua_typename(lua, type));
    }
    whole += (type == LUA_TSTRING ? lua_rawlen(lua, -1) : kNumber) + (i < last ? separator : 0);
    lua_pop(lua, 1);
  }
  return whole;
}

int safe_concat(lua_State* lua) {
  const lua_Integer size = raw_length(lua, 1);
  std::size_t separator_length = 0;
  const char* separator = luaL_optlstring(lua, 2, "", &separator_length);
  const lua_Integer first = luaL_optinteger(lua, 3, 1);
  const lua_Integer last = std::min(luaL_optinteger(lua, 4, size), size);
  luaL_argcheck(lua, first >= 1, 3, "positions start at 1");
  charge_slots(lua, last - first);
  const std::size_t whole = concatenated_length(lua, first, last, separator_length);
  if (whole > kLongestText) raise(lua, "table.concat would make a string of more than 1 MiB");
  charge(lua, work_of_bytes(whole));
  luaL_Buffer buffer;
  luaL_buffinit(lua, &buffer);
  Pace pace(lua);
  for (lua_Integer i = first; i <= last; ++i) {
    pace.step();
    lua_rawgeti(lua, 1, i);
    luaL_addvalue(&buffer);
    if (i < last) luaL_addlstring(&buffer, separator, separator_length);
  }
  luaL_pushresult(&buffer);
  return 1;
}

int safe_unpack(lua_State* lua) {
  const lua_Integer size = raw_length(lua, 1);
  const lua_Integer first = luaL_optinteger(lua, 2, 1);
  const lua_Integer last = luaL_optinteger(lua, 3, size);
  if (first > last) return 0;
  const std::uint64_t span = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
  if (span >= kMaxUnpacked || !lua_checkstack(lua, static_cast<int>(span) + 1)) {
    raise(lua, "table.unpack: too many values");
  }
  charge(lua, span);
  for (std::uint64_t i = 0; i <= span; ++i) {
    lua_rawgeti(lua, 1, first + static_cast<lua_Integer>(i));
  }
  return static_cast<int>(span) + 1;
}

int pack(lua_State* lua) {
  const int n = lua_gettop(lua);
  charge(lua, 2 * static_cast<std::uint64_t>(n));
  lua_createtable(lua, n, 1);
  lua_insert(lua, 1);
  for (int i = n; i >= 1; --i) lua_rawseti(lua, 1, i);
  lua_pushinteger(lua, n);
  lua_setfield(lua, 1, "n");
  return 1;
}

/// Charges a comparison of the two values on top: two strings can be long and nearly equal.
void charge_comparison(lua_State* lua) {
  std::uint64_t work = 1;
  if (lua_type(lua, -1) == LUA_TSTRING && lua_type(lua, -2) == LUA_TSTRING) {
    // Lua compares a string of zeros zero by zero.
    work += std::min(lua_rawlen(lua, -1), lua_rawlen(lua, -2)) / 8;
  }
  charge(lua, work);
}

/// Whether item a of the table at 1 comes before item b, by the function at 2 or by `<`.
bool comes_before(lua_State* lua, lua_Integer a, lua_Integer b) {
  if (lua_isnil(lua, 2)) {
    lua_rawgeti(lua, 1, a);
    lua_rawgeti(lua, 1, b);
    charge_comparison(lua);
    const bool before = lua_compare(lua, -2, -1, LUA_OPLT) != 0;
    lua_pop(lua, 2);
    return before;
  }
  lua_pushvalue(lua, 2);
  lua_rawgeti(lua, 1, a);
  lua_rawgeti(lua, 1, b);
  charge_comparison(lua);
  lua_call(lua, 2, 1);
  const bool before = lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 1);
  return before;
}

/// Room for this many positions in Lua's memory, so that the meter counts it.
std::span<lua_Integer> push_positions(lua_State* lua, lua_Integer count) {
  const auto slots = static_cast<std::size_t>(count);
  auto* first = static_cast<lua_Integer*>(lua_newuserdatauv(lua, slots * sizeof(lua_Integer), 0));
  return {first, slots};
}

/// Merge sort over positions: ends after n log n comparisons, whatever the comparison answers.
/// Leaves its working memory on the stack.
std::span<lua_Integer> sorted_order(lua_State* lua, lua_Integer size) {
  std::span<lua_Integer> order = push_positions(lua, size);
  std::span<lua_Integer> merged = push_positions(lua, size);
  std::iota(order.begin(), order.end(), lua_Integer{1});
  Pace pace(lua);
  for (std::size_t width = 1; width < order.size(); width *= 2) {
    for (std::size_t left = 0; left < order.size(); left += 2 * width) {
      const std::size_t middle = std::min(left + width, order.size());
      const std::size_t right = std::min(left + 2 * width, order.size());
      std::size_t a = left;
      std::size_t b = middle;
      for (std::size_t out = left; out < right; ++out) {
        pace.step();
        // An item from the right goes first only if it is smaller: the sort is stable.
        const bool from_right = b < right && (a >= middle || comes_before(lua, order[b], order[a]));
        merged[out] = from_right ? order[b++] : order[a++];
      }
    }
    std::swap(order, merged);
  }
  return order;
}

int safe_sort(lua_State* lua) {
  const lua_Integer size = raw_length(lua, 1);
  lua_settop(lua, 2);
  if (!lua_isnil(lua, 2)) luaL_checktype(lua, 2, LUA_TFUNCTION);
  luaL_checkstack(lua, 8, "table.sort");
  charge_slots(lua, 2 * size);
  const std::span<lua_Integer> order = sorted_order(lua, size);
  lua_createtable(lua, static_cast<int>(std::min<lua_Integer>(size, 1'000'000)), 0);
  const int sorted = lua_gettop(lua);
  Pace pace(lua);
  for (lua_Integer i = 1; i <= size; ++i) {
    pace.step();
    lua_rawgeti(lua, 1, order[static_cast<std::size_t>(i - 1)]);
    lua_rawseti(lua, sorted, i);
  }
  for (lua_Integer i = 1; i <= size; ++i) {
    pace.step();
    lua_rawgeti(lua, sorted, i);
    lua_rawseti(lua, 1, i);
  }
  return 0;
}

}  // namespace

void push_table_library(lua_State* lua) {
  constexpr std::array<luaL_Reg, 7> kFunctions{{{"insert", safe_insert},
                                                {"remove", safe_remove},
                                                {"move", safe_move},
                                                {"concat", safe_concat},
                                                {"unpack", safe_unpack},
                                                {"pack", pack},
                                                {"sort", safe_sort}}};
  lua_createtable(lua, 0, static_cast<int>(kFunctions.size()));
  for (const luaL_Reg& one : kFunctions) {
    lua_pushcfunction(lua, one.func);
    lua_setfield(lua, -2, one.name);
  }
}

}  // namespace memcoord::bindings
