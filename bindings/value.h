#pragma once
// Plain data of Lua: the value of a scenario file, and ctx.state over a reload.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

struct lua_State;

namespace memcoord::bindings {

/// Nil, a boolean, an integer, a number, a string, or a table of these.
struct Value {
  struct Table {
    // Defined below, where Value is complete: clang instantiates the vectors at once otherwise.
    Table();
    Table(std::vector<Value> with_items, std::vector<std::pair<std::string, Value>> with_fields);
    Table(const Table& other);
    Table(Table&& other) noexcept;
    Table& operator=(const Table& other);
    Table& operator=(Table&& other) noexcept;
    ~Table();

    std::vector<Value> items;                           ///< keys 1, 2, 3, ...
    std::vector<std::pair<std::string, Value>> fields;  ///< string keys, in byte order
    /// Other whole numbers as keys; NotPlain::leave_out alone reads these.
    std::vector<std::pair<std::int64_t, Value>> sparse;
  };
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Table> data;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] bool is_nil() const { return std::holds_alternative<std::monostate>(data); }
  /// The value of a table's field; null if this is not a table or has no field of that name.
  [[nodiscard]] const Value* field(std::string_view name) const;
  /// For messages: "nothing", "a boolean", "a number", "a string", "a table".
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

/// How to read functions, userdata and keys other than strings and 1, 2, 3, ...: as an error, or by
/// leaving them out. leave_out keeps keys that are other whole numbers.
enum class NotPlain { raise, leave_out };

/// Reads the value at an index, which messages call `name`. Raises a Lua error if a table
/// contains itself or is nested more than 50 deep, if the data exceeds the sandbox's memory
/// limit (a table with two references is read twice), and on data that is not plain where
/// `not_plain` asks for that.
Value read_value(lua_State* lua, int index, NotPlain not_plain, std::string name = "the table");
void push_value(lua_State* lua, const Value& value);

/// The text of a Lua file that returns the value: "return {...}". Every number reads back bit by
/// bit.
std::string lua_text(const Value& value);

}  // namespace memcoord::bindings
