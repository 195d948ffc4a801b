#include "bindings/value_text.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace memcoord::bindings {
namespace {

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
  // In decimals the smallest one would be read as a number that is not whole.
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

std::string lua_text(const Value& value) {
  std::string out = "return ";
  append_value(out, value);
  return out;
}

}  // namespace memcoord::bindings
