#include "bindings/testing/expectation.h"

#include <lauxlib.h>
#include <lua.h>

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "bindings/read_only.h"
#include "bindings/safe_library.h"
#include "bindings/sandbox.h"
#include "bindings/testing/shown_value.h"
#include "bindings/testing/test_context.h"
#include "engine/core/names.h"

namespace memcoord::bindings::testing {
namespace {

const char kExpectationMetatable = 1;  // key of the registry

constexpr int kDeepestEqual = 50;

/// Replaces the expectation at 1 by what it is about.
void take_subject(lua_State* lua) {
  bool ours = lua_type(lua, 1) == LUA_TUSERDATA && lua_getmetatable(lua, 1) != 0;
  if (ours) {
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &kExpectationMetatable);
    ours = lua_rawequal(lua, -1, -2) != 0;
    lua_pop(lua, 2);
  }
  if (!ours) raise(lua, "write expect(value):equals(...), with a colon");
  lua_getiuservalue(lua, 1, 1);
  lua_replace(lua, 1);
}

[[noreturn]] void unmet(lua_State* lua, const std::string& expected) {
  fail_test(lua, {}, expected, shown_value(lua, 1));
}

/// Deep, by raw entries: tables are equal when they have equal entries.
bool same(lua_State* lua, int a, int b, int depth) {
  // Tables that share tables can stand for far more than they hold.
  charge(lua, 1);
  if (lua_rawequal(lua, a, b) != 0) return true;
  if (lua_type(lua, a) == LUA_TNUMBER && lua_type(lua, b) == LUA_TNUMBER) {
    return lua_compare(lua, a, b, LUA_OPEQ) != 0;
  }
  if (lua_type(lua, a) != LUA_TTABLE || lua_type(lua, b) != LUA_TTABLE) return false;
  if (depth > kDeepestEqual) raise(lua, "tables nested more than 50 deep, or within themselves");
  luaL_checkstack(lua, 6, "nested tables");
  // Every entry of the one in the other, and the other way round.
  for (const auto& [from, other] : {std::pair{a, b}, std::pair{b, a}}) {
    lua_pushnil(lua);
    while (lua_next(lua, from) != 0) {
      lua_pushvalue(lua, -2);
      lua_rawget(lua, other);
      const int top = lua_gettop(lua);
      if (!same(lua, top - 1, top, depth + 1)) {
        lua_pop(lua, 3);
        return false;
      }
      lua_pop(lua, 2);
    }
  }
  return true;
}

int equals(lua_State* lua) {
  luaL_checkany(lua, 2);
  take_subject(lua);
  if (!same(lua, 1, 2, 0)) unmet(lua, shown_value(lua, 2));
  return 0;
}

int differs_from(lua_State* lua) {
  luaL_checkany(lua, 2);
  take_subject(lua);
  if (same(lua, 1, 2, 0)) unmet(lua, "anything but " + shown_value(lua, 2));
  return 0;
}

/// A number to compare with, at an index; the subject has to be one too.
lua_Number check_bound(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TNUMBER) {
    raise(lua,
          "a number was expected to compare with, not a " + std::string(luaL_typename(lua, index)));
  }
  return lua_tonumber(lua, index);
}

template <class Holds>
int compare(lua_State* lua, const char* words, Holds holds) {
  const lua_Number bound = check_bound(lua, 2);
  take_subject(lua);
  if (lua_type(lua, 1) != LUA_TNUMBER || !holds(lua_tonumber(lua, 1), bound)) {
    unmet(lua, words + shown_value(lua, 2));
  }
  return 0;
}

int is_at_least(lua_State* lua) {
  return compare(lua, "at least ", [](lua_Number a, lua_Number b) { return a >= b; });
}
int is_at_most(lua_State* lua) {
  return compare(lua, "at most ", [](lua_Number a, lua_Number b) { return a <= b; });
}
int is_more_than(lua_State* lua) {
  return compare(lua, "more than ", [](lua_Number a, lua_Number b) { return a > b; });
}
int is_less_than(lua_State* lua) {
  return compare(lua, "less than ", [](lua_Number a, lua_Number b) { return a < b; });
}

int is_between(lua_State* lua) {
  const lua_Number low = check_bound(lua, 2);
  const lua_Number high = check_bound(lua, 3);
  take_subject(lua);
  const bool number = lua_type(lua, 1) == LUA_TNUMBER;
  if (!number || lua_tonumber(lua, 1) < low || lua_tonumber(lua, 1) > high) {
    unmet(lua, "from " + shown_value(lua, 2) + " to " + shown_value(lua, 3));
  }
  return 0;
}

int is_near(lua_State* lua) {
  const lua_Number wanted = check_bound(lua, 2);
  const lua_Number tolerance = check_bound(lua, 3);
  take_subject(lua);
  const bool number = lua_type(lua, 1) == LUA_TNUMBER;
  if (!number || !(std::abs(lua_tonumber(lua, 1) - wanted) <= tolerance)) {
    unmet(lua, shown_value(lua, 2) + ", give or take " + shown_value(lua, 3));
  }
  return 0;
}

int is_empty(lua_State* lua) {
  take_subject(lua);
  bool empty = false;
  if (lua_type(lua, 1) == LUA_TSTRING) empty = lua_rawlen(lua, 1) == 0;
  if (lua_type(lua, 1) == LUA_TTABLE) {
    lua_pushnil(lua);
    empty = lua_next(lua, 1) == 0;
  }
  if (!empty) {
    lua_settop(lua, 1);
    unmet(lua, "nothing in it");
  }
  return 0;
}

/// Whether the subject at 1, a list or a text, has the value at 2 in it.
bool has_in_it(lua_State* lua) {
  if (lua_type(lua, 1) == LUA_TSTRING && lua_type(lua, 2) == LUA_TSTRING) {
    charge(lua, work_of_bytes(lua_rawlen(lua, 1)) + lua_rawlen(lua, 2));
    return std::string_view(lua_tostring(lua, 1)).find(lua_tostring(lua, 2)) !=
           std::string_view::npos;
  }
  if (lua_type(lua, 1) != LUA_TTABLE) return false;
  const auto length = static_cast<lua_Integer>(lua_rawlen(lua, 1));
  bool found = false;
  for (lua_Integer i = 1; i <= length && !found; ++i) {
    lua_rawgeti(lua, 1, i);
    found = same(lua, 2, lua_gettop(lua), 0);
    lua_pop(lua, 1);
  }
  return found;
}

int contains(lua_State* lua) {
  luaL_checkany(lua, 2);
  take_subject(lua);
  if (!has_in_it(lua)) unmet(lua, "something with " + shown_value(lua, 2) + " in it");
  return 0;
}

int lacks(lua_State* lua) {
  luaL_checkany(lua, 2);
  take_subject(lua);
  if (has_in_it(lua)) unmet(lua, "something without " + shown_value(lua, 2) + " in it");
  return 0;
}

int is_nil(lua_State* lua) {
  take_subject(lua);
  if (!lua_isnil(lua, 1)) unmet(lua, "nil");
  return 0;
}

int is_true(lua_State* lua) {
  take_subject(lua);
  if (!lua_isboolean(lua, 1) || lua_toboolean(lua, 1) == 0) unmet(lua, "true");
  return 0;
}

int is_false(lua_State* lua) {
  take_subject(lua);
  if (!lua_isboolean(lua, 1) || lua_toboolean(lua, 1) != 0) unmet(lua, "false");
  return 0;
}

std::string check_glob(lua_State* lua, int index) {
  std::size_t length = 0;
  if (lua_type(lua, index) != LUA_TSTRING) {
    raise(lua, "a pattern with * and ? was expected, such as \"*starved*\"");
  }
  const char* text = lua_tolstring(lua, index, &length);
  return {text, length};
}

/// Whether what stands at 1 is a text that a pattern matches.
bool is_like(lua_State* lua, const std::string& pattern) {
  if (lua_type(lua, 1) != LUA_TSTRING) return false;
  charge_glob(lua, pattern.size(), lua_rawlen(lua, 1));
  return glob_matches(pattern, lua_tostring(lua, 1));
}

int matches(lua_State* lua) {
  const std::string pattern = check_glob(lua, 2);
  take_subject(lua);
  if (!is_like(lua, pattern)) {
    unmet(lua, "a text like \"" + pattern + "\"");
  }
  return 0;
}

constexpr std::array<std::pair<const char*, lua_CFunction>, 15> kMethods{{
    {"equals", equals},
    {"differs_from", differs_from},
    {"is_at_least", is_at_least},
    {"is_at_most", is_at_most},
    {"is_more_than", is_more_than},
    {"is_less_than", is_less_than},
    {"is_between", is_between},
    {"is_near", is_near},
    {"is_empty", is_empty},
    {"contains", contains},
    {"lacks", lacks},
    {"is_nil", is_nil},
    {"is_true", is_true},
    {"is_false", is_false},
    {"matches", matches},
}};

/// Upvalue 1: the methods by name.
int index_expectation(lua_State* lua) {
  lua_pushvalue(lua, 2);
  if (lua_rawget(lua, lua_upvalueindex(1)) == LUA_TNIL) {
    raise_unknown_name(lua, lua_upvalueindex(1), "expect()",
                       lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?");
  }
  return 1;
}

void check_in_test(lua_State* lua, const char* what) {
  if (!TestContext::of(lua).running) {
    raise(lua,
          std::string(what) + " belongs in a test: test(\"what it does\", function() ... end)");
  }
}

int expect(lua_State* lua) {
  check_in_test(lua, "expect()");
  lua_settop(lua, 1);
  lua_newuserdatauv(lua, 0, 1);
  lua_pushvalue(lua, 1);
  lua_setiuservalue(lua, -2, 1);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kExpectationMetatable);
  lua_setmetatable(lua, -2);
  return 1;
}

/// Leaves at 1 the error of a function's call, or of a tick; nil where there is none.
void take_error(lua_State* lua) {
  if (lua_type(lua, 1) == LUA_TTABLE) {
    lua_getfield(lua, 1, "error");
    lua_replace(lua, 1);
    return;
  }
  if (lua_type(lua, 1) != LUA_TFUNCTION) {
    raise(lua,
          "expect_error takes a function or a tick, not a " + std::string(luaL_typename(lua, 1)));
  }
  lua_pushvalue(lua, 1);
  const int status = lua_pcall(lua, 0, 0, 0);
  // An expectation that did not hold, or a limit, is not the error that was meant.
  Meter& meter = Sandbox::meter_of(lua);
  if (status == LUA_ERRMEM) meter.trip(Meter::Trip::memory);
  if (meter.tripped() != Meter::Trip::none || TestContext::of(lua).failure) lua_error(lua);
  if (status == LUA_OK) lua_pushnil(lua);
  lua_replace(lua, 1);
}

int expect_error(lua_State* lua) {
  check_in_test(lua, "expect_error()");
  const std::string pattern = check_glob(lua, 2);
  lua_settop(lua, 2);
  take_error(lua);
  if (!is_like(lua, pattern)) {
    fail_test(lua, {}, "an error like \"" + pattern + "\"",
              lua_isnil(lua, 1) ? "no error" : shown_value(lua, 1));
  }
  return 0;
}

}  // namespace

std::vector<std::string> expectation_names() {
  std::vector<std::string> names;
  names.reserve(kMethods.size());
  for (const auto& [name, call] : kMethods) names.emplace_back(name);
  return names;
}

void open_expectations(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  for (const auto& [name, method] : kMethods) {
    lua_pushcfunction(lua, method);
    lua_setfield(lua, -2, name);
  }
  lua_pushcclosure(lua, index_expectation, 1);
  lua_setfield(lua, -2, "__index");
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kExpectationMetatable);
  lua_pushcfunction(lua, expect);
  Sandbox::set_global(lua, "expect");
  lua_pushcfunction(lua, expect_error);
  Sandbox::set_global(lua, "expect_error");
}

}  // namespace memcoord::bindings::testing
