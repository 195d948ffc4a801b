#pragma once
// Reads one kind of value after another out of a scenario file's table, and remembers the first
// thing that is wrong.

#include <optional>
#include <string>
#include <vector>

#include "bindings/document.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"

namespace memcoord::workbench {

/// One table of a document. After the first error every further call changes nothing.
class TableReader {
 public:
  TableReader(const bindings::Document& document, const bindings::Value& table, std::string where,
              std::optional<Error>& error);

  /// Refuses keys that are not among these.
  void allow(const std::vector<std::string>& keys);

  void size(const char* key, MemorySize& value);
  void size(const char* key, std::optional<MemorySize>& value);
  void seconds(const char* key, Duration& value);
  void seconds(const char* key, std::optional<Duration>& value);
  void number(const char* key, double& value);
  void whole(const char* key, std::int64_t least, std::int64_t& value);
  void flag(const char* key, bool& value);
  void text(const char* key, std::string& value);

  [[nodiscard]] const bindings::Value* field(const char* key) const { return table_.field(key); }
  [[nodiscard]] const std::string& where() const { return where_; }
  void wrong(const char* key, std::string message, std::string hint = {});
  void fail_with(Error error) {
    if (!error_) error_ = std::move(error);
  }
  [[nodiscard]] bool failed() const { return error_.has_value(); }

 private:
  const bindings::Document& document_;
  const bindings::Value& table_;
  std::string where_;
  std::optional<Error>& error_;
};

/// A size as scenarios write it: a whole number of KiB (150*MiB) or a text ("150MiB").
std::optional<MemorySize> size_of(const bindings::Value& value);
std::optional<double> number_of(const bindings::Value& value);

}  // namespace memcoord::workbench
