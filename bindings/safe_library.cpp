#include "bindings/safe_library.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "bindings/ordered_pairs.h"
#include "bindings/read_only.h"
#include "bindings/safe_table.h"
#include "bindings/sandbox.h"
#include "engine/core/glob.h"

namespace memcoord::bindings {
namespace {

// Keys of the registry.
const char kGlobals = 1;
const char kEnvironment = 2;

// --- errors: what a limit has ended cannot be caught ---

int rethrow_if_tripped(lua_State* lua, int status) {
  Meter& meter = Sandbox::meter_of(lua);
  // Negative: a C++ exception came through Lua, which can only be memory that ran out.
  if (status == LUA_ERRMEM || status < 0) meter.trip(Meter::Trip::memory);
  if (meter.tripped() != Meter::Trip::none) raise(lua, "ran past " + meter.limit_text());
  return status;
}

int safe_pcall(lua_State* lua) {
  luaL_checkany(lua, 1);
  const int status = rethrow_if_tripped(lua, lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0));
  lua_pushboolean(lua, status == LUA_OK);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

/// Stands before a script's own message handler (upvalue 1). An error out of the instruction hook
/// is handled with hooks off, so nothing of the script's may run then.
int guarded_handler(lua_State* lua) {
  if (Sandbox::meter_of(lua).tripped() != Meter::Trip::none) return 1;
  lua_settop(lua, 1);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_insert(lua, 1);
  lua_call(lua, 1, 1);
  return 1;
}

int safe_xpcall(lua_State* lua) {
  luaL_checkany(lua, 1);
  luaL_checktype(lua, 2, LUA_TFUNCTION);
  // function, handler, arguments -> handler, function, arguments
  lua_pushvalue(lua, 1);
  lua_pushvalue(lua, 2);
  lua_pushcclosure(lua, guarded_handler, 1);
  lua_replace(lua, 1);
  lua_replace(lua, 2);
  const int status = rethrow_if_tripped(lua, lua_pcall(lua, lua_gettop(lua) - 2, LUA_MULTRET, 1));
  lua_pushboolean(lua, status == LUA_OK);
  lua_replace(lua, 1);
  return lua_gettop(lua);
}

int safe_setmetatable(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int type = lua_type(lua, 2);
  luaL_argexpected(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL) {
    raise(lua, "this metatable is protected");
  }
  if (type == LUA_TTABLE) {
    for (const char* refused : {"__gc", "__mode"}) {
      lua_pushstring(lua, refused);
      if (lua_rawget(lua, 2) != LUA_TNIL) {
        raise(lua, std::string(refused) + " is not available to policies");
      }
      lua_pop(lua, 1);
    }
  }
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

// --- string ---

int safe_rep(lua_State* lua) {
  std::size_t length = 0;
  std::size_t separator_length = 0;
  const char* text = luaL_checklstring(lua, 1, &length);
  const lua_Integer wanted = luaL_checkinteger(lua, 2);
  const char* separator = luaL_optlstring(lua, 3, "", &separator_length);
  const std::size_t unit = length + separator_length;
  if (wanted <= 0 || unit == 0) {
    lua_pushliteral(lua, "");
    return 1;
  }
  const auto n = static_cast<std::uint64_t>(wanted);
  if (n > kLongestText / unit) raise(lua, "string.rep would make a text of more than 1 MiB");
  charge(lua, n);
  luaL_Buffer buffer;
  luaL_buffinit(lua, &buffer);
  for (std::uint64_t i = 0; i < n; ++i) {
    luaL_addlstring(&buffer, text, length);
    if (i + 1 < n) luaL_addlstring(&buffer, separator, separator_length);
  }
  luaL_pushresult(&buffer);
  return 1;
}

int glob(lua_State* lua) {
  std::size_t pattern_length = 0;
  std::size_t text_length = 0;
  const char* pattern = luaL_checklstring(lua, 1, &pattern_length);
  const char* text = luaL_checklstring(lua, 2, &text_length);
  if (pattern_length > 10'000 || text_length > 100'000) raise(lua, "glob: the texts are too long");
  charge(lua, pattern_length * text_length / 8);
  lua_pushboolean(lua, glob_matches({pattern, pattern_length}, {text, text_length}));
  return 1;
}

// --- what scripts see of it ---

int refuse_global(lua_State* lua) {
  const char* name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
  raise(lua, "assigning the global '" + printable(name, 40) +
                 "'; write `local` before it, or keep it in ctx.state");
}

void set_functions(lua_State* lua, std::initializer_list<luaL_Reg> functions) {
  for (const luaL_Reg& one : functions) {
    lua_pushcfunction(lua, one.func);
    lua_setfield(lua, -2, one.name);
  }
}

void drop(lua_State* lua, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
  }
}

/// Opens one of Lua's libraries and leaves its table on the stack.
void open_library(lua_State* lua, const char* name, lua_CFunction open) {
  luaL_requiref(lua, name, open, 0);
}

void open_strings(lua_State* lua) {
  open_library(lua, LUA_STRLIBNAME, luaopen_string);
  drop(lua, {"find", "match", "gmatch", "gsub", "dump", "pack", "unpack", "packsize"});
  set_functions(lua, {{"rep", safe_rep}});
  make_read_only(lua, "string");
  // ("x"):rep(3) goes through the metatable of all strings.
  lua_pushliteral(lua, "");
  lua_newtable(lua);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_pop(lua, 1);
}

}  // namespace

void set_safe_global(lua_State* lua, const char* name) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kGlobals);
  lua_insert(lua, -2);
  lua_setfield(lua, -2, name);
  lua_pop(lua, 1);
}

void push_safe_globals(lua_State* lua) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kEnvironment);
}

void open_safe_library(lua_State* lua) {
  open_library(lua, LUA_GNAME, luaopen_base);
  drop(lua, {"collectgarbage", "dofile", "load", "loadfile", "print", "warn", "rawset", "rawget",
             "_G", "require"});
  set_functions(lua, {{"pcall", safe_pcall},
                      {"xpcall", safe_xpcall},
                      {"setmetatable", safe_setmetatable},
                      {"pairs", ordered_pairs},
                      {"next", safe_next},
                      {"glob", glob}});
  lua_pushvalue(lua, -1);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kGlobals);

  open_library(lua, LUA_MATHLIBNAME, luaopen_math);
  drop(lua, {"random", "randomseed"});
  make_read_only(lua, "math");
  set_safe_global(lua, "math");
  open_library(lua, LUA_UTF8LIBNAME, luaopen_utf8);
  make_read_only(lua, "utf8");
  set_safe_global(lua, "utf8");
  open_strings(lua);
  set_safe_global(lua, "string");
  push_table_library(lua);
  make_read_only(lua, "table");
  set_safe_global(lua, "table");

  constexpr std::array<std::pair<const char*, lua_Integer>, 4> kUnits{
      {{"KiB", 1}, {"MiB", 1024}, {"GiB", 1024 * 1024}, {"TiB", 1024 * 1024 * 1024}}};
  for (const auto& [name, kib] : kUnits) {
    lua_pushinteger(lua, kib);
    set_safe_global(lua, name);
  }

  make_read_only(lua, "the global environment");
  lua_getmetatable(lua, -1);
  lua_pushcfunction(lua, refuse_global);
  lua_setfield(lua, -2, "__newindex");
  lua_pop(lua, 1);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kEnvironment);
  lua_settop(lua, 0);
  // The libraries' own registrations are not reachable from scripts; drop them all the same.
  lua_pushnil(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

}  // namespace memcoord::bindings
