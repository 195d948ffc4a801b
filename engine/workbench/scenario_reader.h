#pragma once
// Reads the tables of a scenario file: sizes, times, flags and demand plans by key, with errors
// that name the file, the line and the key.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bindings/document.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::workbench {

/// Reads one table of a document. Each reading function sets its value if the table has the key,
/// and leaves it unchanged otherwise. The first error goes to `error`, which several readers
/// may share; after it, every further call does nothing.
class TableReader {
 public:
  /// `where` names the table in messages: "domain 'web'". The arguments outlive the reader.
  TableReader(const bindings::Document& document, const bindings::Value& table, std::string where,
              std::optional<Error>& error);

  /// Refuses keys that are not among these, with the nearest known key.
  void allow(const std::vector<std::string>& keys);

  void size(const char* key, MemorySize& value);
  void size(const char* key, std::optional<MemorySize>& value);
  void seconds(const char* key, Duration& value);
  void seconds(const char* key, std::optional<Duration>& value);
  void number(const char* key, double& value);
  void whole(const char* key, std::int64_t minimum, std::int64_t& value);
  void flag(const char* key, bool& value);
  void text(const char* key, std::string& value);
  /// A list of {seconds, size} points with ramps between them, or a table that names a `generator`:
  /// steps, sawtooth, bursts, diurnal, leak or walk. A generator's plan covers `duration`; `seed`
  /// makes its random numbers repeatable unless the table has a seed of its own.
  void plan(const char* key, Duration duration, std::uint64_t seed, simulated::Plan& value);

  /// Null if the table has no such key.
  [[nodiscard]] const bindings::Value* field(const char* key) const { return table_.field(key); }
  [[nodiscard]] const std::string& where() const { return where_; }
  /// Reports an error at the key's line.
  void wrong(const char* key, std::string message, std::string hint = {});
  [[nodiscard]] bool failed() const { return error_.has_value(); }

 private:
  simulated::Plan points(const char* key, const bindings::Value::Table& list);
  simulated::Plan generated(const bindings::Value& table, Duration duration, std::uint64_t seed);

  const bindings::Document& document_;
  const bindings::Value& table_;
  std::string where_;
  std::optional<Error>& error_;
};

/// A size as scenarios write it: a whole number of KiB (150*MiB) or a string ("150MiB").
std::optional<MemorySize> size_of(const bindings::Value& value);

}  // namespace memcoord::workbench
