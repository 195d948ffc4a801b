#include "engine/cli/configuration_line.h"

#include <algorithm>
#include <cctype>

namespace memcoord::cli {
namespace {

bool is_bare_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '-');
  });
}

/// The key and the value around the first equals sign.
std::optional<WrittenSetting> setting_in(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view key = trimmed(line.substr(0, equals));
  const std::string_view value = trimmed(line.substr(equals + 1));
  if (!is_bare_key(key)) return std::nullopt;
  return WrittenSetting{key, value, static_cast<std::size_t>(value.data() - line.data()) + 1};
}

/// Whether a quotation mark in the line has no partner.
bool has_open_quote(std::string_view line) {
  char open = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (open == 0 && c == '#') break;
    if (open == '"' && c == '\\') {
      ++i;
    } else if (c == open) {
      open = 0;
    } else if (open == 0 && (c == '"' || c == '\'')) {
      open = c;
    }
  }
  return open != 0;
}

}  // namespace

std::string_view line_of(std::string_view text, std::size_t number) {
  for (; number > 1; --number) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  return text.substr(0, text.find('\n'));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

std::optional<WrittenSetting> unquoted_value(std::string_view line) {
  const auto found = setting_in(line.substr(0, line.find('#')));
  if (!found || found->value.empty() || found->value.starts_with('=')) return std::nullopt;
  const bool is_word = std::all_of(found->value.begin(), found->value.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7f &&
           std::string_view("\"'[]{},\\").find(static_cast<char>(c)) == std::string_view::npos;
  });
  return is_word ? found : std::nullopt;
}

std::optional<WrittenSetting> half_quoted_value(std::string_view line) {
  return has_open_quote(line) ? setting_in(line) : std::nullopt;
}

}  // namespace memcoord::cli
