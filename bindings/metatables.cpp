// setmetatable() and getmetatable().

#include <lauxlib.h>
#include <lua.h>

#include <array>
#include <string>

#include "bindings/safe_library.h"
#include "bindings/sandbox.h"
#include "engine/core/printable.h"

namespace memcoord::bindings {
namespace {

// Keys of the registry: the copies by their originals, and the number of copies.
const char kCopies = 1;
const char kCopyCount = 2;
// Key in a copy: its original.
const char kOriginal = 3;

// A class of objects has one metatable. A script that makes a new one for each object must not keep
// all copies alive.
constexpr lua_Integer kMaxCopies = 64;

constexpr std::array<const char*, 27> kEvents{
    "__index", "__newindex", "__call", "__close", "__eq",       "__lt",       "__le",
    "__len",   "__concat",   "__unm",  "__bnot",  "__add",      "__sub",      "__mul",
    "__div",   "__mod",      "__pow",  "__idiv",  "__band",     "__bor",      "__bxor",
    "__shl",   "__shr",      "__name", "__pairs", "__tostring", "__metatable"};

int push_event(lua_State* lua, int table, const char* event) {
  lua_pushstring(lua, event);
  return lua_rawget(lua, table);
}

/// Called instead of a script's __close (upvalue 1), which it calls. Once a limit is passed,
/// thousands of variables can still wait to be closed, and an error for each of them takes its
/// time.
int guarded_close(lua_State* lua) {
  if (Sandbox::meter_of(lua).tripped() != Meter::Trip::none) return 0;
  charge(lua, 1);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, lua_gettop(lua) - 1, 0);
  return 0;
}

void check_metatable(lua_State* lua, int table) {
  for (const char* refused : {"__gc", "__mode"}) {
    if (push_event(lua, table, refused) != LUA_TNIL) {
      raise(lua, std::string(refused) + " is not available to policies");
    }
    lua_pop(lua, 1);
  }
  for (const char* event : {"__call", "__close"}) {
    const int type = push_event(lua, table, event);
    if (type != LUA_TNIL && (type != LUA_TFUNCTION || lua_iscfunction(lua, -1) != 0)) {
      raise(lua, std::string(event) + " must be a function written in Lua");
    }
    lua_pop(lua, 1);
  }
}

/// Whether a copy still equals its original.
bool is_current(lua_State* lua, int copy, int original) {
  for (const char* event : kEvents) {
    push_event(lua, original, event);
    push_event(lua, copy, event);
    if (lua_tocfunction(lua, -1) == guarded_close) {
      lua_getupvalue(lua, -1, 1);
      lua_replace(lua, -2);
    }
    const bool same = lua_rawequal(lua, -1, -2) != 0;
    lua_pop(lua, 2);
    if (!same) return false;
  }
  return true;
}

void push_new_copy(lua_State* lua, int original) {
  lua_newtable(lua);
  const int copy = lua_gettop(lua);
  for (const char* event : kEvents) {
    lua_pushstring(lua, event);
    if (push_event(lua, original, event) == LUA_TNIL) {
      lua_pop(lua, 2);
      continue;
    }
    if (std::string_view(event) == "__close") lua_pushcclosure(lua, guarded_close, 1);
    lua_rawset(lua, copy);
  }
  lua_pushvalue(lua, original);
  lua_rawsetp(lua, copy, &kOriginal);
}

/// Pushes the table of copies; a new table if there is none, or if it has too many copies.
void push_copies(lua_State* lua) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kCopyCount);
  const lua_Integer count = lua_tointeger(lua, -1);
  lua_pop(lua, 1);
  if (lua_rawgetp(lua, LUA_REGISTRYINDEX, &kCopies) == LUA_TTABLE && count < kMaxCopies) return;
  lua_pop(lua, 1);
  lua_newtable(lua);
  lua_pushvalue(lua, -1);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kCopies);
  lua_pushinteger(lua, 0);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kCopyCount);
}

void push_copy(lua_State* lua, int original) {
  push_copies(lua);
  const int copies = lua_gettop(lua);
  lua_pushvalue(lua, original);
  if (lua_rawget(lua, copies) != LUA_TTABLE || !is_current(lua, lua_gettop(lua), original)) {
    lua_pop(lua, 1);
    push_new_copy(lua, original);
    lua_pushvalue(lua, original);
    lua_pushvalue(lua, -2);
    lua_rawset(lua, copies);
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &kCopyCount);
    lua_pushinteger(lua, lua_tointeger(lua, -1) + 1);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &kCopyCount);
    lua_pop(lua, 1);
  }
  lua_replace(lua, copies);
}

}  // namespace

int safe_setmetatable(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int type = lua_type(lua, 2);
  luaL_argexpected(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL) {
    raise(lua, "this metatable is protected");
  }
  lua_settop(lua, 2);
  charge(lua, kEvents.size());
  if (type == LUA_TTABLE) {
    check_metatable(lua, 2);
    push_copy(lua, 2);
  } else {
    lua_pushnil(lua);
  }
  lua_setmetatable(lua, 1);
  lua_settop(lua, 1);
  return 1;
}

int safe_getmetatable(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (lua_getmetatable(lua, 1) == 0) {
    lua_pushnil(lua);
    return 1;
  }
  const int metatable = lua_gettop(lua);
  if (push_event(lua, metatable, "__metatable") != LUA_TNIL) return 1;
  // Nil for a metatable that was not set by a script.
  lua_rawgetp(lua, metatable, &kOriginal);
  return 1;
}

}  // namespace memcoord::bindings
