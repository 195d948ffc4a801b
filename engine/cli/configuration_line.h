#pragma once
// The text of one line of a configuration file, for messages about text that is not TOML.

#include <cstddef>
#include <optional>
#include <string_view>

namespace memcoord::cli {

/// The line of that number, from 1.
std::string_view line_of(std::string_view text, std::size_t number);
/// Without blanks at both ends.
std::string_view trimmed(std::string_view text);

/// A key and its value as a line writes them.
struct WrittenSetting {
  std::string_view key;
  std::string_view value;
  std::size_t column = 0;  ///< of the value, from 1
};
/// The setting in a line that is `key = value` but for the quotes that a value such as 64GiB needs.
std::optional<WrittenSetting> unquoted_value(std::string_view line);
/// The setting in a line such as `policy = "halving`; none if every quotation mark in the line has
/// its partner.
std::optional<WrittenSetting> half_quoted_value(std::string_view line);

}  // namespace memcoord::cli
