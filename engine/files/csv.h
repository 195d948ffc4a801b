#pragma once
// Fields of comma-separated values (RFC 4180), safe in spreadsheets.

#include <string>
#include <string_view>
#include <vector>

namespace memcoord::files {

/// A text as a field: printable, and in quotes if a comma, quote, semicolon or blank needs them. A
/// text that a spreadsheet would take for a formula (it begins with = + - @ or a tab) gets an
/// apostrophe in front, which marks it as text.
std::string csv_field(std::string_view text);

/// The fields of a line, without their quotes, the blanks around them, and the apostrophe of
/// csv_field().
std::vector<std::string> csv_fields(std::string_view line, char separator = ',');

}  // namespace memcoord::files
