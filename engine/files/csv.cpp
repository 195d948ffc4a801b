#include "engine/files/csv.h"

#include <algorithm>
#include <array>

#include "engine/core/printable.h"

namespace memcoord::files {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Whether a spreadsheet would take the text for a formula. Some accept the full-width forms
/// (U+FF1D ..) as well, and ignore leading blanks.
bool is_formula(std::string_view text) {
  constexpr std::array<std::string_view, 8> kStarts{
      "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};
  if (!text.empty() && (text.front() == '\t' || text.front() == '\r' || text.front() == '\n')) {
    return true;
  }
  while (!text.empty() && (is_blank(text.front()) || text.front() == '\n')) text.remove_prefix(1);
  return std::any_of(kStarts.begin(), kStarts.end(),
                     [&](std::string_view start) { return text.starts_with(start); });
}

}  // namespace

std::string csv_field(std::string_view text) {
  std::string plain = (is_formula(text) ? "'" : "") + printable(text);
  const bool blank = !plain.empty() && (plain.front() == ' ' || plain.back() == ' ');
  if (!blank && plain.find_first_of(",;\"") == std::string::npos) return plain;
  std::string quoted = "\"";
  for (const char c : plain) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::vector<std::string> csv_fields(std::string_view line, char separator) {
  std::vector<std::string> fields;
  for (;;) {
    while (!line.empty() && is_blank(line.front()) && line.front() != separator) {
      line.remove_prefix(1);
    }
    std::string field;
    const bool quoted = line.starts_with('"');
    if (quoted) {
      line.remove_prefix(1);
      while (!line.empty()) {
        const std::size_t quote = std::min(line.find('"'), line.size());
        field += line.substr(0, quote);
        line.remove_prefix(std::min(quote + 1, line.size()));
        if (!line.starts_with('"')) break;
        field += '"';
        line.remove_prefix(1);
      }
    }
    const std::size_t end = std::min(line.find(separator), line.size());
    field += trimmed(line.substr(0, end));
    if (field.starts_with('\'') && is_formula(std::string_view(field).substr(1))) field.erase(0, 1);
    fields.push_back(std::move(field));
    if (end == line.size()) return fields;
    line.remove_prefix(end + 1);
  }
}

}  // namespace memcoord::files
