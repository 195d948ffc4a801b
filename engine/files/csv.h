#pragma once
// Fields of comma-separated values (RFC 4180), safe in spreadsheets.

#include <string>
#include <string_view>
#include <vector>

namespace memcoord::files {

/// A text as a field: printable, in quotes where a comma, quote, semicolon or blank needs them. A
/// spreadsheet takes a text that begins with = + - or @ for a formula; an apostrophe before it, and
/// before a text that begins with a tab, says that it is text.
std::string csv_field(std::string_view text);

/// The fields of a line: without quotes, blanks around them, and the apostrophe of csv_field().
std::vector<std::string> csv_fields(std::string_view line, char separator = ',');

}  // namespace memcoord::files
