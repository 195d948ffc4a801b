#pragma once
// Data files written in Lua (scenarios, policy tests' worlds): evaluated in the sandbox, read as
// plain values.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/sandbox.h"
#include "bindings/value.h"
#include "engine/core/error.h"

namespace memcoord::bindings {

/// What a data file returned, with its text, so that errors can name lines.
class Document {
 public:
  /// Errors: as read_script(), and policy_failed or limit_exceeded with file and line.
  static Result<Document> load(const std::string& path, const std::string& kind,
                               SandboxLimits limits = {});
  static Result<Document> load_text(std::string source, std::string name,
                                    SandboxLimits limits = {});

  [[nodiscard]] const Value& value() const { return value_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// "file:line" of the first place where a key stands as `key =`, after the given line; the file
  /// alone where there is none.
  [[nodiscard]] std::string place_of(std::string_view key, std::size_t after_line = 0) const;

 private:
  std::string name_;
  std::string source_;
  Value value_;
};

/// The number of the first line, at `from` or after it, on which a key stands as `key =` or which
/// has a text in it; none where there is none. Comments are passed over.
std::optional<std::size_t> line_that_assigns(std::string_view source, std::string_view key,
                                             std::size_t from);
std::optional<std::size_t> line_with(std::string_view source, std::string_view text,
                                     std::size_t from);

/// Refuses fields that are not among `known`, with the nearest right name. Errors: invalid_input,
/// its object the place, its message "unknown key 'x' in <where>".
Status check_keys(const Document& document, const Value& table,
                  const std::vector<std::string>& known, const std::string& where);

}  // namespace memcoord::bindings
