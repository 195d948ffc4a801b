// fair_share(total, wants, weights): weighted max-min fairness for scripts. The guard divides grows
// by the same function.

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "bindings/safe_library.h"
#include "bindings/sandbox.h"
#include "bindings/script_tables.h"
#include "engine/core/guard.h"

namespace memcoord::bindings {
namespace {

constexpr lua_Integer kMaxWants = 10'000;
// The charge for reading, sorting and serving one want, in instructions.
constexpr std::uint64_t kWorkPerWant = 20;
constexpr double kLargestExact = 9007199254740992;  // 2^53: every whole number up to here is exact

std::string item_name(const char* list, lua_Integer i) {
  return i == 0 ? list : std::string(list) + "[" + std::to_string(i) + "]";
}

/// The number on top of the stack, which it pops: item `i` of a list, or with 0 an argument.
lua_Number pop_number(lua_State* lua, const char* list, lua_Integer i = 0) {
  if (lua_type(lua, -1) != LUA_TNUMBER) {
    raise(lua, "fair_share: " + item_name(list, i) + " is a " + luaL_typename(lua, -1) +
                   " where a number is expected");
  }
  const lua_Number value = lua_tonumber(lua, -1);
  if (std::isnan(value)) raise(lua, "fair_share: " + item_name(list, i) + " is not a number (nan)");
  lua_pop(lua, 1);
  return value;
}

/// Rounds down to whole KiB; anything below 0 counts as 0.
MemorySize size_of(lua_Number kib) {
  return MemorySize::from_kib(static_cast<std::uint64_t>(std::clamp(kib, 0.0, kLargestExact)));
}

/// The number of items of the list at an index. Raises if it is not a list.
lua_Integer length_of_list(lua_State* lua, int index, const char* name) {
  if (lua_type(lua, index) != LUA_TTABLE) {
    raise(lua, std::string("fair_share: ") + name + " is a " + luaL_typename(lua, index) +
                   " where a list of numbers is expected");
  }
  check_own_table(lua, index);
  const auto length = static_cast<lua_Integer>(lua_rawlen(lua, index));
  if (length > kMaxWants) {
    raise(lua, std::string("fair_share: ") + name + " has more than 10000 items");
  }
  if (length == 0) {
    lua_pushnil(lua);
    if (lua_next(lua, index) != 0) {
      raise(lua, std::string("fair_share: ") + name +
                     " is a table by name where a list of numbers is expected");
    }
  }
  return length;
}

std::vector<guard::Want> read_wants(lua_State* lua) {
  const lua_Integer count = length_of_list(lua, 2, "wants");
  const bool weighted = !lua_isnoneornil(lua, 3);
  if (weighted && length_of_list(lua, 3, "weights") != count) {
    raise(lua, "fair_share: wants has " + std::to_string(count) + " items, and weights has " +
                   std::to_string(lua_rawlen(lua, 3)));
  }
  charge(lua, kWorkPerWant * static_cast<std::uint64_t>(count));
  std::vector<guard::Want> wants(static_cast<std::size_t>(count));
  for (lua_Integer i = 1; i <= count; ++i) {
    guard::Want& want = wants[static_cast<std::size_t>(i - 1)];
    lua_rawgeti(lua, 2, i);
    want.amount = size_of(pop_number(lua, "wants", i));
    if (!weighted) continue;
    lua_rawgeti(lua, 3, i);
    // A weight that overflowed in the script counts as the largest, so that the policy goes on.
    want.weight = std::min(pop_number(lua, "weights", i), DBL_MAX);
    if (want.weight <= 0) {
      raise(lua, "fair_share: " + item_name("weights", i) + " is not a number over 0");
    }
  }
  return wants;
}

}  // namespace

int fair_share(lua_State* lua) {
  lua_settop(lua, 3);
  lua_pushvalue(lua, 1);
  const MemorySize total = size_of(pop_number(lua, "total"));
  const std::vector<guard::Want> wants = read_wants(lua);
  const std::vector<MemorySize> shares = guard::share_out(total, wants);
  lua_createtable(lua, static_cast<int>(shares.size()), 0);
  lua_Integer i = 0;
  for (const MemorySize share : shares) {
    lua_pushinteger(lua, static_cast<lua_Integer>(share.kib()));
    lua_rawseti(lua, -2, ++i);
  }
  return 1;
}

}  // namespace memcoord::bindings
