#include "bindings/value.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>

#include "bindings/sandbox.h"

namespace memcoord::bindings {
namespace {

constexpr int kDeepest = 50;

std::string text_at(lua_State* lua, int index) {
  std::size_t length = 0;
  const char* text = lua_tolstring(lua, index, &length);
  return {text, length};
}

/// Reads one value, with all that is in it, and counts what that takes: tables that share tables
/// can stand for far more data than they hold.
class Reader {
 public:
  Reader(lua_State* lua, NotPlain not_plain) : lua_(lua), not_plain_(not_plain) {}

  Value read(int index, int depth) {
    take(sizeof(Value));
    switch (lua_type(lua_, index)) {
      case LUA_TNIL:
        return {};
      case LUA_TBOOLEAN:
        return {lua_toboolean(lua_, index) != 0};
      case LUA_TNUMBER:
        if (lua_isinteger(lua_, index) != 0) return {std::int64_t{lua_tointeger(lua_, index)}};
        return {lua_tonumber(lua_, index)};
      case LUA_TSTRING:
        take(lua_rawlen(lua_, index));
        return {text_at(lua_, index)};
      case LUA_TTABLE:
        return {read_table(index, depth)};
      default:
        break;
    }
    if (not_plain_ == NotPlain::raise) {
      raise(lua_, std::string("a ") + luaL_typename(lua_, index) + " where plain data is expected");
    }
    return {};
  }

 private:
  Value::Table read_table(int index, int depth) {
    if (depth > kDeepest) raise(lua_, "tables nested more than 50 deep, or within themselves");
    luaL_checkstack(lua_, 4, "nested tables");
    Value::Table table;
    const auto items = static_cast<lua_Integer>(lua_rawlen(lua_, index));
    for (lua_Integer i = 1; i <= items; ++i) {
      lua_rawgeti(lua_, index, i);
      table.items.push_back(read(lua_gettop(lua_), depth + 1));
      lua_pop(lua_, 1);
    }
    lua_pushnil(lua_);
    while (lua_next(lua_, index) != 0) {
      read_field(table, items, depth);
      lua_pop(lua_, 1);
    }
    std::sort(table.fields.begin(), table.fields.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return table;
  }

  /// The key and the value on top of the stack.
  void read_field(Value::Table& table, lua_Integer items, int depth) {
    const int value = lua_gettop(lua_);
    const int key = value - 1;
    if (lua_type(lua_, key) == LUA_TSTRING) {
      if (not_plain_ == NotPlain::leave_out && !is_plain(value)) return;
      take(lua_rawlen(lua_, key) + sizeof(std::string));
      std::string name = text_at(lua_, key);
      table.fields.emplace_back(std::move(name), read(value, depth + 1));
      return;
    }
    const bool is_whole = lua_isinteger(lua_, key) != 0;
    const lua_Integer number = lua_tointeger(lua_, key);
    if (is_whole && number >= 1 && number <= items) return;
    if (not_plain_ == NotPlain::leave_out) {
      if (is_whole && is_plain(value)) table.sparse.emplace_back(number, read(value, depth + 1));
      return;
    }
    raise(lua_, std::string("a table key that is a ") + luaL_typename(lua_, key) +
                    "; keys are names, or 1, 2, 3, ... without holes");
  }

  [[nodiscard]] bool is_plain(int index) const {
    const int type = lua_type(lua_, index);
    return type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING ||
           type == LUA_TTABLE;
  }

  void take(std::size_t bytes) {
    Meter& meter = Sandbox::meter_of(lua_);
    bytes_ += bytes;
    if (bytes_ > meter.limits().memory_bytes) meter.trip(Meter::Trip::memory);
    charge(lua_, 1);
  }

  lua_State* lua_;
  NotPlain not_plain_;
  std::size_t bytes_ = 0;
};

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
  return Reader(lua, not_plain).read(lua_absindex(lua, index), 0);
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
      lua_pushlstring(lua, key.data(), key.size());
      push_value(lua, field);
      lua_rawset(lua, -3);
    }
    for (const auto& [key, other] : table->sparse) {
      push_value(lua, other);
      lua_rawseti(lua, -2, key);
    }
  } else {
    lua_pushnil(lua);
  }
}

}  // namespace memcoord::bindings
