#pragma once
// Plain data out of Lua and into it: what a scenario file returns, what ctx.state carries over.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

struct lua_State;

namespace memcoord::bindings {

/// Nil, boolean, integer, number, text, or a table of such.
struct Value {
  struct Table {
    // Defined below, where Value is complete: clang looks into the vectors at once otherwise.
    Table();
    Table(std::vector<Value> with_items, std::vector<std::pair<std::string, Value>> with_fields);
    Table(const Table& other);
    Table(Table&& other) noexcept;
    Table& operator=(const Table& other);
    Table& operator=(Table&& other) noexcept;
    ~Table();

    std::vector<Value> items;                           ///< keys 1, 2, 3, ...
    std::vector<std::pair<std::string, Value>> fields;  ///< text keys, in their order as text
    /// Other whole numbers as keys; only where what is not plain is left out rather than refused.
    std::vector<std::pair<std::int64_t, Value>> sparse;
  };
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Table> data;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] bool is_nil() const { return std::holds_alternative<std::monostate>(data); }
  /// The value of a table's field; null where this is no table or has no such field.
  [[nodiscard]] const Value* field(std::string_view name) const;
  /// For messages: "nothing", "a boolean", "a number", "a text", "a table".
  [[nodiscard]] std::string_view kind() const;
};

inline Value::Table::Table() = default;
inline Value::Table::Table(std::vector<Value> with_items,
                           std::vector<std::pair<std::string, Value>> with_fields)
    : items(std::move(with_items)), fields(std::move(with_fields)) {}
inline Value::Table::Table(const Table& other) = default;
inline Value::Table::Table(Table&& other) noexcept = default;
inline Value::Table& Value::Table::operator=(const Table& other) = default;
inline Value::Table& Value::Table::operator=(Table&& other) noexcept = default;
inline Value::Table::~Table() = default;

/// What to do with functions, userdata and keys that are neither text nor 1, 2, 3, ...; leaving out
/// keeps whole numbers.
enum class NotPlain { raise, leave_out };

/// Reads the value at an index, which messages call `name`. Raises a Lua error on tables that
/// contain themselves or are nested more than 50 deep, on more data than the sandbox's memory limit
/// allows (a table that is referred to twice is read twice), and, as asked, on what is not plain
/// data.
Value read_value(lua_State* lua, int index, NotPlain not_plain, std::string name = "the table");
void push_value(lua_State* lua, const Value& value);

}  // namespace memcoord::bindings
