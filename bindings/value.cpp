#include "bindings/value.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>

#include "bindings/sandbox.h"

namespace memcoord::bindings {
namespace {

constexpr int kDeepest = 50;

Value read_at(lua_State* lua, int index, NotPlain not_plain, int depth);

bool is_plain(lua_State* lua, int index) {
  switch (lua_type(lua, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
    case LUA_TTABLE:
      return true;
    default:
      return false;
  }
}

Value::Table read_table(lua_State* lua, int index, NotPlain not_plain, int depth) {
  if (depth > kDeepest) raise(lua, "tables nested more than 50 deep, or within themselves");
  luaL_checkstack(lua, 4, "nested tables");
  Value::Table table;
  const auto items = static_cast<lua_Integer>(lua_rawlen(lua, index));
  for (lua_Integer i = 1; i <= items; ++i) {
    lua_rawgeti(lua, index, i);
    table.items.push_back(read_at(lua, lua_gettop(lua), not_plain, depth + 1));
    lua_pop(lua, 1);
  }
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    const int value = lua_gettop(lua);
    const bool is_item = lua_isinteger(lua, value - 1) != 0 && lua_tointeger(lua, value - 1) >= 1 &&
                         lua_tointeger(lua, value - 1) <= items;
    if (lua_type(lua, value - 1) == LUA_TSTRING) {
      if (is_plain(lua, value) || not_plain == NotPlain::raise) {
        table.fields.emplace_back(lua_tostring(lua, value - 1),
                                  read_at(lua, value, not_plain, depth + 1));
      }
    } else if (!is_item && not_plain == NotPlain::raise) {
      raise(lua, std::string("a table key that is a ") + luaL_typename(lua, value - 1) +
                     "; keys are names, or 1, 2, 3, ... without holes");
    }
    lua_pop(lua, 1);
  }
  std::sort(table.fields.begin(), table.fields.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return table;
}

Value read_at(lua_State* lua, int index, NotPlain not_plain, int depth) {
  switch (lua_type(lua, index)) {
    case LUA_TNIL:
      return {};
    case LUA_TBOOLEAN:
      return {lua_toboolean(lua, index) != 0};
    case LUA_TNUMBER:
      if (lua_isinteger(lua, index) != 0) return {std::int64_t{lua_tointeger(lua, index)}};
      return {lua_tonumber(lua, index)};
    case LUA_TSTRING: {
      std::size_t length = 0;
      const char* text = lua_tolstring(lua, index, &length);
      return {std::string(text, length)};
    }
    case LUA_TTABLE:
      return {read_table(lua, index, not_plain, depth)};
    default:
      break;
  }
  if (not_plain == NotPlain::raise) {
    raise(lua, std::string("a ") + luaL_typename(lua, index) + " where plain data is expected");
  }
  return {};
}

}  // namespace

const Value* Value::field(std::string_view name) const {
  const auto* table = as<Table>();
  if (!table) return nullptr;
  for (const auto& [key, value] : table->fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string_view Value::kind() const {
  switch (data.index()) {
    case 0:
      return "nothing";
    case 1:
      return "a boolean";
    case 2:
    case 3:
      return "a number";
    case 4:
      return "a text";
    default:
      return "a table";
  }
}

Value read_value(lua_State* lua, int index, NotPlain not_plain) {
  return read_at(lua, lua_absindex(lua, index), not_plain, 0);
}

void push_value(lua_State* lua, const Value& value) {
  luaL_checkstack(lua, 4, "nested tables");
  if (const auto* flag = value.as<bool>()) {
    lua_pushboolean(lua, *flag ? 1 : 0);
  } else if (const auto* integer = value.as<std::int64_t>()) {
    lua_pushinteger(lua, *integer);
  } else if (const auto* number = value.as<double>()) {
    lua_pushnumber(lua, *number);
  } else if (const auto* text = value.as<std::string>()) {
    lua_pushlstring(lua, text->data(), text->size());
  } else if (const auto* table = value.as<Value::Table>()) {
    lua_newtable(lua);
    lua_Integer i = 0;
    for (const Value& item : table->items) {
      push_value(lua, item);
      lua_rawseti(lua, -2, ++i);
    }
    for (const auto& [key, field] : table->fields) {
      push_value(lua, field);
      lua_setfield(lua, -2, key.c_str());
    }
  } else {
    lua_pushnil(lua);
  }
}

}  // namespace memcoord::bindings
