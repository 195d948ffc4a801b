#pragma once
// Data files in Lua (scenarios, worlds of policy tests). The sandbox evaluates them to plain
// values.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/sandbox.h"
#include "bindings/value.h"
#include "engine/core/error.h"

namespace memcoord::bindings {

/// The value that a data file returns, with the file's text: errors name its lines.
class Document {
 public:
  /// Errors: as read_script(), and policy_failed or limit_exceeded with file and line.
  static Result<Document> load(const std::string& path, const std::string& kind,
                               SandboxLimits limits = {});
  static Result<Document> load_text(std::string source, std::string name,
                                    SandboxLimits limits = {});

  [[nodiscard]] const Value& value() const { return value_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// "file:line" of the first `key =` after the given line; the file alone if there is none.
  [[nodiscard]] std::string place_of(std::string_view key, std::size_t after_line = 0) const;

 private:
  std::string name_;
  std::string source_;
  Value value_;
};

/// The first line, from `from` on, that has `key =` or a text outside its comment; the first line
/// of the file is 1.
std::optional<std::size_t> line_that_assigns(std::string_view source, std::string_view key,
                                             std::size_t from);
std::optional<std::size_t> line_with(std::string_view source, std::string_view text,
                                     std::size_t from);

/// Refuses fields whose names are not in `known`. Errors: invalid_input, the object "file:line",
/// the message "unknown key 'x' in <where>", the hint the nearest known name.
Status check_keys(const Document& document, const Value& table,
                  const std::vector<std::string>& known, const std::string& where);

}  // namespace memcoord::bindings
