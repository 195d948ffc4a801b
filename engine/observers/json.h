#pragma once
// A JSON value. json.cpp alone includes the library that writes and parses it: the library's
// templates cost seconds a file.

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"

namespace memcoord::observers {

/// Objects keep their members in the order of their insertion. A copy is deep.
class Json {
 public:
  struct Member;

  /// null; a value that was moved from is null, too.
  Json() noexcept;
  Json(std::nullptr_t) noexcept : Json() {}
  Json(bool value);
  Json(int value) : Json(static_cast<long long>(value)) {}
  Json(long value) : Json(static_cast<long long>(value)) {}
  Json(long long value);
  Json(unsigned value) : Json(static_cast<unsigned long long>(value)) {}
  Json(unsigned long value) : Json(static_cast<unsigned long long>(value)) {}
  Json(unsigned long long value);
  Json(double value);
  Json(const char* text) : Json(std::string(text)) {}
  Json(std::string_view text) : Json(std::string(text)) {}
  Json(std::string text);
  Json(const std::vector<std::string>& texts);
  /// No other pointer becomes a bool.
  Json(const void*) = delete;

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  static Json array();
  static Json array(std::initializer_list<Json> items);
  static Json object();
  /// Moves the values out of the members.
  static Json object(std::initializer_list<Member> members);
  /// Errors: invalid_input, with the library's message.
  static Result<Json> parse(std::string_view text);

  /// Adds to an array; null becomes one.
  void push_back(Json item);
  /// Adds a member to an object, or replaces its value; null becomes an object.
  void set(const std::string& name, Json value);
  /// Sets all members of another object.
  void update(const Json& object);

  /// On one line. Names come from libvirt and files: replaces bytes that are no UTF-8, and escapes
  /// characters that act on a terminal.
  [[nodiscard]] std::string line() const;
  /// As line(), with escapes for everything outside ASCII.
  [[nodiscard]] std::string ascii_line() const;
  /// As line(), but indented, for people.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] bool is_string() const;
  /// The number of items or members; null has none.
  [[nodiscard]] std::size_t size() const;
  // These throw a std::exception that says what is wrong: no such item, another kind of value.
  [[nodiscard]] Json at(std::size_t place) const;
  [[nodiscard]] Json at(const std::string& name) const;
  [[nodiscard]] std::string string() const;
  [[nodiscard]] double number() const;

  /// An array's items; an object's names in their order.
  [[nodiscard]] std::vector<Json> items() const;
  [[nodiscard]] std::vector<std::string> names() const;
  /// An object's member; nothing if it has none of that name, or is no object.
  [[nodiscard]] std::optional<Json> find(const std::string& name) const;

  /// Numbers are equal by value: 1 and 1.0.
  bool operator==(const Json& other) const;

 private:
  struct Value;
  explicit Json(std::unique_ptr<Value> value);
  Value& value();
  [[nodiscard]] const Value& value() const;

  std::unique_ptr<Value> value_;
};

/// {"name", value}, as object() takes it. The name outlives the call.
struct Json::Member {
  std::string_view name;
  mutable Json value;
};

/// Writes json.line().
std::ostream& operator<<(std::ostream& out, const Json& json);

}  // namespace memcoord::observers
