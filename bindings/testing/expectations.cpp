// Opens expectations.lua in a test file's sandbox, and gives it its primitives.

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/safe_library.h"
#include "bindings/sandbox.h"
#include "bindings/script_tables.h"
#include "bindings/testing/expectations_source.h"
#include "bindings/testing/test_context.h"
#include "engine/core/memory_size.h"

namespace memcoord::bindings::testing {
namespace {

constexpr std::size_t kMaxItems = 12;
constexpr int kDeepestShown = 3;
// The charge for showing one entry, in instructions.
constexpr std::uint64_t kWorkPerItem = 20;

// --- a value as text for the report of a failed test ---

std::string shown_at(lua_State* lua, int index, int depth);

/// Most numbers from 1024 on are sizes: "1 GiB (1048576)".
std::string shown_integer(lua_Integer number) {
  std::string plain = std::to_string(number);
  if (number > -1024 && number < 1024) return plain;
  const auto bits = static_cast<std::uint64_t>(number);
  const std::uint64_t kib = number < 0 ? 0U - bits : bits;
  return (number < 0 ? "-" : "") + MemorySize::from_kib(kib).text() + " (" + plain + ")";
}

std::string shown_number(lua_Number number) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.14g", number);
  return text.data();
}

/// The entries with string keys, sorted.
std::vector<std::string> shown_fields(lua_State* lua, int index, int depth) {
  std::vector<std::string> fields;
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    charge(lua, kWorkPerItem);
    if (lua_type(lua, -2) == LUA_TSTRING) {
      fields.push_back(printable(lua_tostring(lua, -2), 60) + " = " +
                       shown_at(lua, lua_gettop(lua), depth + 1));
    }
    lua_pop(lua, 1);
  }
  std::sort(fields.begin(), fields.end());
  return fields;
}

/// The list's items first, then the named entries: "{ 1, 2, name = "a" }".
std::string shown_table(lua_State* lua, int index, int depth) {
  if (depth > kDeepestShown) return "{ ... }";
  std::vector<std::string> items;
  const auto length = static_cast<lua_Integer>(lua_rawlen(lua, index));
  for (lua_Integer i = 1; i <= length && items.size() <= kMaxItems; ++i) {
    lua_rawgeti(lua, index, i);
    items.push_back(shown_at(lua, lua_gettop(lua), depth + 1));
    lua_pop(lua, 1);
  }
  std::vector<std::string> fields = shown_fields(lua, index, depth);
  std::move(fields.begin(), fields.end(), std::back_inserter(items));
  std::string text = "{";
  for (std::size_t i = 0; i < std::min(items.size(), kMaxItems); ++i) {
    text += (i == 0 ? " " : ", ") + items[i];
  }
  if (items.size() > kMaxItems) text += ", ...";
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

// --- the primitives; the module calls them with arguments of the right types ---

std::string_view text_at(lua_State* lua, int index) {
  std::size_t length = 0;
  const char* text = luaL_checklstring(lua, index, &length);
  return {text, length};
}

/// show(value)
int show(lua_State* lua) {
  lua_settop(lua, 1);
  const std::string text = shown_at(lua, 1, 0);
  lua_pushlstring(lua, text.data(), text.size());
  return 1;
}

/// refuse(message): a wrong use of an expectation, as an error at the test's line.
int refuse(lua_State* lua) {
  raise(lua, std::string(text_at(lua, 1)));
}

/// fail(expected, got): ends the test as failed at its line.
int fail_expectation(lua_State* lua) {
  TestContext& context = TestContext::of(lua);
  context.fail_at(calling_line(lua), std::string(text_at(lua, 1)), std::string(text_at(lua, 2)));
  raise(lua, kExpectationFailed);
}

/// check_running(function): raises outside a test, and in a test that has failed.
int check_running(lua_State* lua) {
  const TestContext& context = TestContext::of(lua);
  if (!context.running) {
    raise(lua, std::string(text_at(lua, 1)) +
                   " belongs in a test: test(\"its name\", function() ... end)");
  }
  if (context.failure) raise(lua, kExpectationFailed);
  return 0;
}

/// read_only(table, what): a view whose missing names are errors with the nearest name.
int read_only(lua_State* lua) {
  lua_settop(lua, 2);
  lua_pushvalue(lua, 1);
  make_read_only(lua, lua_tostring(lua, 2));
  return 1;
}

/// raw_get(table, key)
int raw_get(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  lua_rawget(lua, 1);
  return 1;
}

/// raw_next(table, key)
int raw_next(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  if (lua_next(lua, 1) != 0) return 2;
  lua_pushnil(lua);
  return 1;
}

/// Upvalue 1: the function.
int enter(lua_State* lua) {
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, LUA_MULTRET);
  return lua_gettop(lua);
}

/// entry(function): the same as a C function, so that the test that calls it last, as in
/// `return expect(x):is_nil()`, keeps its place on the stack.
int entry(lua_State* lua) {
  lua_settop(lua, 1);
  lua_pushcclosure(lua, enter, 1);
  return 1;
}

/// has_part(text, part)
int has_part(lua_State* lua) {
  const std::string_view text = text_at(lua, 1);
  const std::string_view part = text_at(lua, 2);
  charge(lua, work_of_bytes(text.size()) + part.size());
  lua_pushboolean(lua, text.find(part) != std::string_view::npos);
  return 1;
}

void push_primitives(lua_State* lua) {
  lua_newtable(lua);
  for (const luaL_Reg& one :
       {luaL_Reg{"show", show}, luaL_Reg{"refuse", refuse}, luaL_Reg{"fail", fail_expectation},
        luaL_Reg{"check_running", check_running}, luaL_Reg{"read_only", read_only},
        luaL_Reg{"raw_get", raw_get}, luaL_Reg{"entry", entry}, luaL_Reg{"raw_next", raw_next},
        luaL_Reg{"has_part", has_part}}) {
    lua_pushcfunction(lua, one.func);
    lua_setfield(lua, -2, one.name);
  }
}

int append_piece(lua_State* /*lua*/, const void* piece, std::size_t size, void* whole) {
  static_cast<std::string*>(whole)->append(static_cast<const char*>(piece), size);
  return 0;
}

/// Leaves the module on the stack, without line numbers: the place of an error is that of the
/// innermost code that has them, the test's.
void load_module(lua_State* lua) {
  Sandbox::load_chunk(lua, kExpectationsSource, "expectations");
  std::string stripped;
  lua_dump(lua, append_piece, &stripped, 1);
  lua_pop(lua, 1);
  if (luaL_loadbufferx(lua, stripped.data(), stripped.size(), "=expectations", "b") != LUA_OK) {
    lua_error(lua);
  }
  push_safe_globals(lua);
  lua_setupvalue(lua, -2, 1);
}

}  // namespace

void open_expectations(lua_State* lua) {
  load_module(lua);
  push_primitives(lua);
  lua_call(lua, 1, 2);
  Sandbox::set_global(lua, "expect_error");
  Sandbox::set_global(lua, "expect");
}

}  // namespace memcoord::bindings::testing
