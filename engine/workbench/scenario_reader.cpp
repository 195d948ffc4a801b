#include "engine/workbench/scenario_reader.h"

#include <cmath>
#include <utility>

namespace memcoord::workbench {
namespace {

using bindings::Value;

constexpr double kMostSeconds = 1e9;

std::string shown(const Value& value) {
  if (const auto* integer = value.as<std::int64_t>()) return std::to_string(*integer);
  if (const auto* number = value.as<double>()) return std::to_string(*number);
  if (const auto* text = value.as<std::string>()) return "'" + text->substr(0, 40) + "'";
  return std::string(value.kind());
}

Duration duration_from(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

std::optional<MemorySize> size_of(const Value& value) {
  if (const auto* kib = value.as<std::int64_t>()) {
    if (*kib < 0) return std::nullopt;
    return MemorySize::from_kib(static_cast<std::uint64_t>(*kib));
  }
  if (const auto* number = value.as<double>()) {
    if (!(*number >= 0) || *number > 9e15) return std::nullopt;
    return MemorySize::from_kib(static_cast<std::uint64_t>(*number));
  }
  if (const auto* text = value.as<std::string>()) {
    const auto size = MemorySize::parse(*text);
    if (size) return *size;
  }
  return std::nullopt;
}

std::optional<double> number_of(const Value& value) {
  if (const auto* integer = value.as<std::int64_t>()) return static_cast<double>(*integer);
  if (const auto* number = value.as<double>()) {
    if (std::isfinite(*number)) return *number;
  }
  return std::nullopt;
}

TableReader::TableReader(const bindings::Document& document, const Value& table, std::string where,
                         std::optional<Error>& error)
    : document_(document), table_(table), where_(std::move(where)), error_(error) {
  if (!error_ && !table_.as<Value::Table>()) {
    error_ = Error{ErrorCode::invalid_input,
                   document_.name(),
                   where_ + " is " + std::string(table_.kind()) + " where a table is expected",
                   {},
                   {}};
  }
}

void TableReader::allow(const std::vector<std::string>& keys) {
  if (failed()) return;
  if (auto checked = bindings::check_keys(document_, table_, keys, where_); !checked) {
    error_ = checked.error();
  }
}

void TableReader::wrong(const char* key, std::string message, std::string hint) {
  if (failed()) return;
  error_ = Error{ErrorCode::invalid_input,
                 document_.place_of(key),
                 where_ + ": " + std::move(message),
                 std::move(hint),
                 {}};
}

void TableReader::size(const char* key, MemorySize& value) {
  std::optional<MemorySize> read;
  size(key, read);
  if (read) value = *read;
}

void TableReader::size(const char* key, std::optional<MemorySize>& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto read = size_of(*given);
  if (!read) {
    wrong(key, std::string(key) + " = " + shown(*given) + " is no size of memory",
          "write 512*MiB or \"512MiB\"; sizes are not negative");
    return;
  }
  value = *read;
}

void TableReader::seconds(const char* key, Duration& value) {
  std::optional<Duration> read;
  seconds(key, read);
  if (read) value = *read;
}

void TableReader::seconds(const char* key, std::optional<Duration>& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto read = number_of(*given);
  if (!read || *read < 0 || *read > kMostSeconds) {
    wrong(key, std::string(key) + " = " + shown(*given) + " is no time in seconds, 0 or more");
    return;
  }
  value = duration_from(*read);
}

void TableReader::number(const char* key, double& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto read = number_of(*given);
  if (!read) {
    wrong(key, std::string(key) + " = " + shown(*given) + " is no number");
    return;
  }
  value = *read;
}

void TableReader::whole(const char* key, std::int64_t least, std::int64_t& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto* read = given->as<std::int64_t>();
  if (!read || *read < least) {
    wrong(key, std::string(key) + " = " + shown(*given) + " is no whole number of at least " +
                   std::to_string(least));
    return;
  }
  value = *read;
}

void TableReader::flag(const char* key, bool& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  if (const auto* read = given->as<bool>()) {
    value = *read;
  } else {
    wrong(key, std::string(key) + " = " + shown(*given) + " is neither true nor false");
  }
}

void TableReader::text(const char* key, std::string& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  if (const auto* read = given->as<std::string>()) {
    value = *read;
  } else {
    wrong(key, std::string(key) + " = " + shown(*given) + " is no text");
  }
}

}  // namespace memcoord::workbench
