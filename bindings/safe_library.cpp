#include "bindings/safe_library.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "bindings/sandbox.h"
#include "bindings/script_tables.h"
#include "engine/core/names.h"

namespace memcoord::bindings {
namespace {

// Keys of the registry.
const char kGlobals = 1;
const char kEnvironment = 2;

constexpr lua_Integer kMaxValues = 10'000;
constexpr std::size_t kLongestNumber = 420;  // "%.99f" of the largest
constexpr std::size_t kLongestPattern = 1'000;
constexpr std::size_t kLongestGlobbed = 10'000;

// --- Lua's own functions, charged by their arguments ---

/// An upper bound of the work of one of Lua's functions: its arguments, and the bytes of the
/// strings among them.
std::uint64_t work_of_arguments(lua_State* lua) {
  const int count = lua_gettop(lua);
  auto work = static_cast<std::uint64_t>(count) / 4;
  for (int i = 1; i <= count; ++i) {
    if (lua_type(lua, i) == LUA_TSTRING) work += lua_rawlen(lua, i) / 8;
  }
  return work;
}

/// Upvalue 1: the function.
int charged(lua_State* lua) {
  const std::uint64_t work = work_of_arguments(lua);
  if (work > 0) charge(lua, work);
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

/// math.max or math.min (upvalue 1), with a short way for two numbers: policies call little else as
/// often.
template <bool kLargest>
int extreme_of_two(lua_State* lua) {
  const bool two_numbers =
      lua_gettop(lua) == 2 && lua_type(lua, 1) == LUA_TNUMBER && lua_type(lua, 2) == LUA_TNUMBER;
  if (!two_numbers) return charged(lua);
  // Of equal numbers the first is the answer, as in Lua's own functions.
  const bool second = lua_compare(lua, kLargest ? 1 : 2, kLargest ? 2 : 1, LUA_OPLT) != 0;
  if (!second) lua_settop(lua, 1);
  return 1;
}

/// Wraps the functions of the table on top, unless they are wrapped already.
void charge_functions(lua_State* lua) {
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    const bool has_upvalue = lua_getupvalue(lua, -1, 1) != nullptr;
    if (has_upvalue) lua_pop(lua, 1);
    if (lua_iscfunction(lua, -1) != 0 && !has_upvalue) {
      lua_pushvalue(lua, -2);
      lua_insert(lua, -2);
      lua_pushcclosure(lua, charged, 1);
      lua_rawset(lua, -4);
    } else {
      lua_pop(lua, 1);
    }
  }
}

// --- errors: no script catches the end of a limit ---

int rethrow_if_tripped(lua_State* lua, int status) {
  Meter& meter = Sandbox::meter_of(lua);
  // Negative: a C++ exception came through Lua, which only std::bad_alloc can be.
  if (status == LUA_ERRMEM || status < 0) meter.trip(Meter::Trip::memory);
  if (meter.tripped() != Meter::Trip::none) raise(lua, meter.message());
  return status;
}

int safe_pcall(lua_State* lua) {
  luaL_checkany(lua, 1);
  const int status = rethrow_if_tripped(lua, lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0));
  lua_pushboolean(lua, status == LUA_OK);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

/// Called instead of a script's message handler (upvalue 1), which it calls. Lua handles an error
/// of the instruction hook with hooks off, so that no code of the script may run then.
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

/// Pushes a value's text. The texts of tables and functions are the same in every run; Lua's own
/// contain addresses.
void push_shown(lua_State* lua, int index) {
  index = lua_absindex(lua, index);
  if (luaL_callmeta(lua, index, "__tostring") != 0) {
    if (lua_type(lua, -1) != LUA_TSTRING) raise(lua, "'__tostring' must return a string");
    return;
  }
  const int type = lua_type(lua, index);
  const bool plain =
      type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN || type == LUA_TNIL;
  if (plain) {
    luaL_tolstring(lua, index, nullptr);
  } else if (luaL_getmetafield(lua, index, "__name") != LUA_TSTRING) {
    lua_pushstring(lua, luaL_typename(lua, index));
  }
}

int safe_tostring(lua_State* lua) {
  luaL_checkany(lua, 1);
  lua_settop(lua, 1);
  push_shown(lua, 1);
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
  if (n > kLongestText / unit) raise(lua, "string.rep would make a string of more than 1 MiB");
  charge(lua, n + work_of_bytes(n * unit));
  luaL_Buffer buffer;
  luaL_buffinit(lua, &buffer);
  for (std::uint64_t i = 0; i < n; ++i) {
    luaL_addlstring(&buffer, text, length);
    if (i + 1 < n) luaL_addlstring(&buffer, separator, separator_length);
  }
  luaL_pushresult(&buffer);
  return 1;
}

/// The letter of the conversion after a "%", and the position after the letter.
std::pair<char, std::size_t> conversion(std::string_view format, std::size_t at) {
  at = format.find_first_not_of("-+ #0123456789.", at);
  if (at == std::string_view::npos) return {0, format.size()};
  return {format[at], at + 1};
}

/// string.format(). Turns the arguments of `%s` into texts first, so that it knows the length of
/// the result, and that no text is an address.
int safe_format(lua_State* lua) {
  std::size_t length = 0;
  const char* text = luaL_checklstring(lua, 1, &length);
  const std::string_view format(text, length);
  const int given = lua_gettop(lua);
  charge(lua, length / 8 + static_cast<std::uint64_t>(given));
  std::size_t whole = length;
  int argument = 1;
  for (std::size_t at = format.find('%'); at != std::string_view::npos; at = format.find('%', at)) {
    const auto [letter, behind] = conversion(format, at + 1);
    at = behind;
    if (letter == '%' || ++argument > given) continue;
    if (letter == 'p') raise(lua, "string.format: '%p' is not available to policies");
    if (letter == 's') {
      luaL_checkstack(lua, 8, "string.format");
      push_shown(lua, argument);
      lua_replace(lua, argument);
    }
    // A quoted text grows fourfold at most, and a number has a few hundred digits.
    const std::size_t size = lua_type(lua, argument) == LUA_TSTRING ? lua_rawlen(lua, argument) : 0;
    whole += letter == 'q' ? 4 * size : letter == 's' ? size : kLongestNumber;
    charge(lua, 8 + size / 8);
  }
  if (whole > kLongestText) raise(lua, "string.format would make a string of more than 1 MiB");
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

/// Limits the ranges of string.byte and utf8.codepoint: each character is a value on the stack.
/// Upvalue 1: the function.
int few_values(lua_State* lua) {
  const std::size_t length = lua_type(lua, 1) == LUA_TSTRING ? lua_rawlen(lua, 1) : 0;
  const auto from_end = [length](lua_Integer place) {
    return place < 0 ? place + static_cast<lua_Integer>(length) + 1 : place;
  };
  const lua_Integer first = std::max<lua_Integer>(from_end(luaL_optinteger(lua, 2, 1)), 1);
  const lua_Integer last = std::min<lua_Integer>(from_end(luaL_optinteger(lua, 3, first)),
                                                 static_cast<lua_Integer>(length));
  if (last - first >= kMaxValues) raise(lua, "too many values; take fewer characters at once");
  charge(lua, static_cast<std::uint64_t>(std::max<lua_Integer>(last - first, 0)));
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

int glob(lua_State* lua) {
  std::size_t pattern_length = 0;
  std::size_t text_length = 0;
  const char* pattern = luaL_checklstring(lua, 1, &pattern_length);
  const char* text = luaL_checklstring(lua, 2, &text_length);
  charge_glob(lua, pattern_length, text_length);
  lua_pushboolean(lua, glob_matches({pattern, pattern_length}, {text, text_length}));
  return 1;
}

// --- the library as scripts see it ---

/// Wraps a function of the table on top: the wrapper has it as its upvalue.
void wrap(lua_State* lua, const char* name, lua_CFunction wrapper) {
  lua_getfield(lua, -1, name);
  lua_pushcclosure(lua, wrapper, 1);
  lua_setfield(lua, -2, name);
}

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

void open_maths(lua_State* lua) {
  open_library(lua, LUA_MATHLIBNAME, luaopen_math);
  drop(lua, {"random", "randomseed"});
  wrap(lua, "max", extreme_of_two<true>);
  wrap(lua, "min", extreme_of_two<false>);
  charge_functions(lua);
  make_read_only(lua, "math");
}

void open_utf8(lua_State* lua) {
  open_library(lua, LUA_UTF8LIBNAME, luaopen_utf8);
  wrap(lua, "codepoint", few_values);
  charge_functions(lua);
  make_read_only(lua, "utf8");
}

void open_strings(lua_State* lua) {
  open_library(lua, LUA_STRLIBNAME, luaopen_string);
  drop(lua, {"find", "match", "gmatch", "gsub", "dump", "pack", "unpack", "packsize"});
  wrap(lua, "byte", few_values);
  wrap(lua, "format", safe_format);
  charge_functions(lua);
  set_functions(lua, {{"rep", safe_rep}});
  make_read_only(lua, "string");
  // ("x"):rep(3) uses the metatable that all strings share.
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

void charge_glob(lua_State* lua, std::size_t pattern, std::size_t text) {
  if (pattern > kLongestPattern || text > kLongestGlobbed) {
    raise(lua, "a pattern of more than 1000 bytes, or a string of more than 10000");
  }
  charge(lua, pattern * text / 8);
}

void open_safe_library(lua_State* lua) {
  open_library(lua, LUA_GNAME, luaopen_base);
  drop(lua, {"collectgarbage", "dofile", "load", "loadfile", "print", "warn", "rawset", "rawget",
             "_G", "require"});
  charge_functions(lua);
  set_functions(lua, {{"pcall", safe_pcall},
                      {"xpcall", safe_xpcall},
                      {"setmetatable", safe_setmetatable},
                      {"getmetatable", safe_getmetatable},
                      {"tostring", safe_tostring},
                      {"pairs", ordered_pairs},
                      {"next", safe_next},
                      {"glob", glob},
                      {"fair_share", fair_share}});
  lua_pushvalue(lua, -1);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kGlobals);

  open_maths(lua);
  set_safe_global(lua, "math");
  open_utf8(lua);
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
  // Scripts cannot reach the libraries' own registrations; drop them all the same.
  lua_pushnil(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

}  // namespace memcoord::bindings
