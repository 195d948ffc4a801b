#include "bindings/safe_library.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "bindings/sandbox.h"
#include "engine/core/glob.h"
#include "engine/core/nearest.h"

namespace memcoord::bindings {
namespace {

// Keys of the registry.
const char kGlobals = 1;
const char kEnvironment = 2;

constexpr lua_Integer kMostSlots = 10'000'000;
constexpr std::size_t kLongestRep = std::size_t{8} << 20U;

/// Counts work that Lua's own instruction count does not see.
void charge(lua_State* lua, lua_Integer work) {
  Meter& meter = Sandbox::meter_of(lua);
  if (!meter.charge(static_cast<std::uint64_t>(std::max<lua_Integer>(work, 0)))) {
    luaL_error(lua, "ran past %s", meter.limit_text().c_str());
  }
}

lua_Integer raw_length(lua_State* lua, int table) {
  luaL_checktype(lua, table, LUA_TTABLE);
  return static_cast<lua_Integer>(lua_rawlen(lua, table));
}

// --- errors: what a limit has ended cannot be caught ---

int rethrow_if_tripped(lua_State* lua, int status) {
  Meter& meter = Sandbox::meter_of(lua);
  if (status == LUA_ERRMEM) meter.trip(Meter::Trip::memory);
  if (meter.tripped() != Meter::Trip::none) {
    luaL_error(lua, "ran past %s", meter.limit_text().c_str());
  }
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
  if (n > kLongestRep / unit) raise(lua, "string.rep would make more than 8 MiB");
  charge(lua, wanted);
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
  charge(lua, static_cast<lua_Integer>(pattern_length * text_length / 8));
  lua_pushboolean(lua, glob_matches({pattern, pattern_length}, {text, text_length}));
  return 1;
}

// --- table: by raw length, so that no __len lies, and every slot is counted ---

int safe_insert(lua_State* lua) {
  const lua_Integer size = raw_length(lua, 1);
  lua_Integer position = size + 1;
  const int arguments = lua_gettop(lua);
  if (arguments == 3) {
    position = luaL_checkinteger(lua, 2);
    luaL_argcheck(lua, position >= 1 && position <= size + 1, 2, "position out of bounds");
    charge(lua, size - position + 1);
    for (lua_Integer i = size + 1; i > position; --i) {
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
  charge(lua, size - position);
  lua_rawgeti(lua, 1, position);
  for (lua_Integer i = position; i < size; ++i) {
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
  luaL_checktype(lua, 1, LUA_TTABLE);
  const lua_Integer from = luaL_checkinteger(lua, 2);
  const lua_Integer end = luaL_checkinteger(lua, 3);
  const lua_Integer to = luaL_checkinteger(lua, 4);
  const int target = lua_isnoneornil(lua, 5) ? 1 : 5;
  luaL_checktype(lua, target, LUA_TTABLE);
  if (end >= from) {
    const std::uint64_t span = static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(from);
    if (span >= static_cast<std::uint64_t>(kMostSlots) ||
        to > std::numeric_limits<lua_Integer>::max() - kMostSlots) {
      raise(lua, "table.move over too many slots");
    }
    const auto count = static_cast<lua_Integer>(span) + 1;
    charge(lua, count);
    const bool forward = to > end || to <= from || target != 1;
    for (lua_Integer step = 0; step < count; ++step) {
      const lua_Integer i = forward ? step : count - 1 - step;
      lua_rawgeti(lua, 1, from + i);
      lua_rawseti(lua, target, to + i);
    }
  }
  lua_pushvalue(lua, target);
  return 1;
}

int safe_concat(lua_State* lua) {
  const lua_Integer size = raw_length(lua, 1);
  std::size_t separator_length = 0;
  const char* separator = luaL_optlstring(lua, 2, "", &separator_length);
  const lua_Integer first = luaL_optinteger(lua, 3, 1);
  const lua_Integer last = std::min(luaL_optinteger(lua, 4, size), size);
  luaL_argcheck(lua, first >= 1, 3, "positions start at 1");
  charge(lua, last - first);
  luaL_Buffer buffer;
  luaL_buffinit(lua, &buffer);
  for (lua_Integer i = first; i <= last; ++i) {
    lua_rawgeti(lua, 1, i);
    if (!lua_isstring(lua, -1)) {
      raise(lua, "table.concat: item " + std::to_string(i) + " is a " + luaL_typename(lua, -1));
    }
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
  if (span >= 100'000 || !lua_checkstack(lua, static_cast<int>(span) + 1)) {
    raise(lua, "table.unpack: too many values");
  }
  for (std::uint64_t i = 0; i <= span; ++i) {
    lua_rawgeti(lua, 1, first + static_cast<lua_Integer>(i));
  }
  return static_cast<int>(span) + 1;
}

int pack(lua_State* lua) {
  const int n = lua_gettop(lua);
  lua_createtable(lua, n, 1);
  lua_insert(lua, 1);
  for (int i = n; i >= 1; --i) lua_rawseti(lua, 1, i);
  lua_pushinteger(lua, n);
  lua_setfield(lua, 1, "n");
  return 1;
}

/// Whether item a of the table at 1 comes before item b, by the function at 2 or by `<`.
bool comes_before(lua_State* lua, lua_Integer a, lua_Integer b) {
  if (lua_isnoneornil(lua, 2)) {
    lua_rawgeti(lua, 1, a);
    lua_rawgeti(lua, 1, b);
    const bool before = lua_compare(lua, -2, -1, LUA_OPLT) != 0;
    lua_pop(lua, 2);
    return before;
  }
  lua_pushvalue(lua, 2);
  lua_rawgeti(lua, 1, a);
  lua_rawgeti(lua, 1, b);
  lua_call(lua, 2, 1);
  const bool before = lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 1);
  return before;
}

/// Merge sort over positions: ends after n log n comparisons, whatever the comparator says.
int safe_sort(lua_State* lua) {
  const lua_Integer size = raw_length(lua, 1);
  if (!lua_isnoneornil(lua, 2)) luaL_checktype(lua, 2, LUA_TFUNCTION);
  lua_settop(lua, 2);
  luaL_checkstack(lua, 8, "table.sort");
  charge(lua, size);
  std::vector<lua_Integer> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), lua_Integer{1});
  std::vector<lua_Integer> merged(order.size());
  for (std::size_t width = 1; width < order.size(); width *= 2) {
    charge(lua, size);
    for (std::size_t left = 0; left < order.size(); left += 2 * width) {
      const std::size_t middle = std::min(left + width, order.size());
      const std::size_t right = std::min(left + 2 * width, order.size());
      std::size_t a = left;
      std::size_t b = middle;
      for (std::size_t out = left; out < right; ++out) {
        // Taking from the right only if it is surely before keeps equal items in their order.
        const bool from_right = b < right && (a >= middle || comes_before(lua, order[b], order[a]));
        merged[out] = from_right ? order[b++] : order[a++];
      }
    }
    order.swap(merged);
  }
  lua_createtable(lua, static_cast<int>(std::min<lua_Integer>(size, 1'000'000)), 0);
  for (lua_Integer i = 1; i <= size; ++i) {
    lua_rawgeti(lua, 1, order[static_cast<std::size_t>(i - 1)]);
    lua_rawseti(lua, 3, i);
  }
  for (lua_Integer i = 1; i <= size; ++i) {
    lua_rawgeti(lua, 3, i);
    lua_rawseti(lua, 1, i);
  }
  return 0;
}

// --- what scripts see of it ---

int refuse_write(lua_State* lua) {
  const char* what = lua_tostring(lua, lua_upvalueindex(1));
  const char* name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
  raise(lua, std::string(what) + " cannot be changed (assigning '" + printable(name, 40) + "')");
}

int refuse_global(lua_State* lua) {
  const char* name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
  raise(lua, "assigning the global '" + printable(name, 40) +
                 "'; write `local` before it, or keep it in ctx.state");
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

int missing_name(lua_State* lua) {
  const char* what = lua_tostring(lua, lua_upvalueindex(1));
  if (lua_type(lua, 2) != LUA_TSTRING) {
    lua_pushnil(lua);
    return 1;
  }
  raise_unknown_name(lua, lua_upvalueindex(2), what, lua_tostring(lua, 2));
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

void open_tables(lua_State* lua) {
  lua_newtable(lua);
  set_functions(lua, {{"insert", safe_insert},
                      {"remove", safe_remove},
                      {"move", safe_move},
                      {"concat", safe_concat},
                      {"unpack", safe_unpack},
                      {"pack", pack},
                      {"sort", safe_sort}});
  make_read_only(lua, "table");
}

}  // namespace

void raise_unknown_name(lua_State* lua, int table, const char* what, const char* name) {
  for (const auto& [wanted, instead] : kInstead) {
    if (std::string_view(name) == wanted) {
      raise(lua, std::string(what) + " has no '" + name + "': " + instead);
    }
  }
  std::vector<std::string> names;
  table = lua_absindex(lua, table);
  lua_pushnil(lua);
  while (lua_next(lua, table) != 0) {
    if (lua_type(lua, -2) == LUA_TSTRING) names.emplace_back(lua_tostring(lua, -2));
    lua_pop(lua, 1);
  }
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
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_replace(lua, table);
}

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
  open_tables(lua);
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
