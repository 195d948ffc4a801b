#include "bindings/value.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/sandbox.h"
#include "engine/core/printable.h"

namespace memcoord::bindings {
namespace {

constexpr std::size_t kDeepest = 50;

std::string text_at(lua_State* lua, int index) {
  std::size_t length = 0;
  const char* text = lua_tolstring(lua, index, &length);
  return {text, length};
}

/// Reads one value with everything in it, and counts the bytes: tables that share tables can make
/// far more data than they hold.
class Reader {
 public:
  Reader(lua_State* lua, NotPlain not_plain, std::string name)
      : lua_(lua), not_plain_(not_plain), path_{std::move(name)} {}

  Value read(int index) {
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
        return {read_table(index)};
      default:
        break;
    }
    if (not_plain_ == NotPlain::raise) {
      raise(lua_, std::string("a ") + luaL_typename(lua_, index) + " where plain data is expected");
    }
    return {};
  }

 private:
  Value::Table read_table(int index) {
    const void* self = lua_topointer(lua_, index);
    if (std::find(within_.begin(), within_.end(), self) != within_.end()) {
      raise(lua_, path() + " contains itself");
    }
    if (within_.size() > kDeepest) raise(lua_, path() + " is nested more than 50 deep");
    luaL_checkstack(lua_, 4, "nested tables");
    within_.push_back(self);
    Value::Table table;
    const auto items = static_cast<lua_Integer>(lua_rawlen(lua_, index));
    for (lua_Integer i = 1; i <= items; ++i) {
      if (lua_rawgeti(lua_, index, i) == LUA_TTABLE) path_.push_back('[' + std::to_string(i) + ']');
      table.items.push_back(read_top());
      lua_pop(lua_, 1);
    }
    lua_pushnil(lua_);
    while (lua_next(lua_, index) != 0) {
      read_field(table, items);
      lua_pop(lua_, 1);
    }
    Pace pace(lua_);
    std::sort(table.fields.begin(), table.fields.end(), [&pace](const auto& a, const auto& b) {
      pace.step();
      return a.first < b.first;
    });
    within_.pop_back();
    return table;
  }

  /// Reads the value on top of the stack. The caller has added a table's name to the path.
  Value read_top() {
    const bool is_table = lua_type(lua_, -1) == LUA_TTABLE;
    Value value = read(lua_gettop(lua_));
    if (is_table) path_.pop_back();
    return value;
  }

  [[nodiscard]] std::string path() const {
    std::string all;
    for (std::size_t i = 0; i < path_.size(); ++i) {
      if (all.size() > kScriptText) return all + "...";
      all.append(i > 0 && path_[i].front() != '[' ? "." : "").append(printable(path_[i], 40));
    }
    return all;
  }

  /// Reads the key and the value on top of the stack.
  void read_field(Value::Table& table, lua_Integer items) {
    const int value = lua_gettop(lua_);
    const int key = value - 1;
    if (lua_type(lua_, key) == LUA_TSTRING) {
      if (not_plain_ == NotPlain::leave_out && !is_plain(value)) return;
      take(lua_rawlen(lua_, key) + sizeof(std::string));
      std::string name = text_at(lua_, key);
      // An empty name would be invisible in the path.
      if (lua_type(lua_, value) == LUA_TTABLE) path_.push_back(name.empty() ? "[\"\"]" : name);
      table.fields.emplace_back(std::move(name), read_top());
      return;
    }
    const bool is_whole = lua_isinteger(lua_, key) != 0;
    const lua_Integer number = lua_tointeger(lua_, key);
    if (is_whole && number >= 1 && number <= items) return;
    if (not_plain_ == NotPlain::leave_out) {
      if (!is_whole || !is_plain(value)) return;
      if (lua_type(lua_, value) == LUA_TTABLE) path_.push_back('[' + std::to_string(number) + ']');
      table.sparse.emplace_back(number, read_top());
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
  std::vector<std::string> path_;    ///< names of the tables that are being read
  std::vector<const void*> within_;  ///< those tables
  std::size_t bytes_ = 0;
};

// --- a value as the text of a Lua file ---

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\%03u", static_cast<unsigned>(byte));
    out += escape.data();
  }
  out += '"';
}

void append_number(std::string& out, double number) {
  std::array<char, 40> digits{};
  if (std::isnan(number)) {
    out += "(0/0)";
  } else if (std::isinf(number)) {
    out += number > 0 ? "(1/0)" : "(-1/0)";
  } else {
    std::snprintf(digits.data(), digits.size(), "%a", number);
    out += digits.data();
  }
}

void append_integer(std::string& out, std::int64_t integer) {
  // Lua reads the smallest integer in decimals as a floating-point number.
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "0x%llx", static_cast<unsigned long long>(integer));
  out += digits.data();
}

void append_value(std::string& out, const Value& value) {
  if (const auto* flag = value.as<bool>()) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = value.as<std::int64_t>()) {
    append_integer(out, *integer);
  } else if (const auto* number = value.as<double>()) {
    append_number(out, *number);
  } else if (const auto* text = value.as<std::string>()) {
    append_quoted(out, *text);
  } else if (const auto* table = value.as<Value::Table>()) {
    const auto append_pair = [&](auto append_key, const auto& entry) {
      out += '[';
      append_key(out, entry.first);
      out += "]=";
      append_value(out, entry.second);
      out += ',';
    };
    out += '{';
    for (const Value& item : table->items) {
      append_value(out, item);
      out += ',';
    }
    for (const auto& field : table->fields) append_pair(append_quoted, field);
    for (const auto& other : table->sparse) append_pair(append_integer, other);
    out += '}';
  } else {
    out += "nil";
  }
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
      return "a string";
    default:
      return "a table";
  }
}

Value read_value(lua_State* lua, int index, NotPlain not_plain, std::string name) {
  return Reader(lua, not_plain, std::move(name)).read(lua_absindex(lua, index));
}

void push_value(lua_State* lua, const Value& value) {
  charge(lua, 1);
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

std::string lua_text(const Value& value) {
  std::string out = "return ";
  append_value(out, value);
  return out;
}

}  // namespace memcoord::bindings
