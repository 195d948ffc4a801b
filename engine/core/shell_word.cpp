#include "engine/core/shell_word.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/core/printable.h"

namespace memcoord {
namespace {

bool needs_no_quotes(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') ||
         std::string_view("_-.,:/@%+=").find(c) != std::string_view::npos;
}

/// $'...': every byte that could do something as an escape.
std::string with_escapes(std::string_view text) {
  std::string out = "$'";
  while (!text.empty()) {
    const Character character = first_character(text);
    const bool escaped = !character.is_utf8 || acts(character.code);
    for (const char c : character.bytes) {
      if (escaped) {
        std::array<char, 8> escape{};
        std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(c));
        out += escape.data();
        continue;
      }
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    text.remove_prefix(character.bytes.size());
  }
  return out + "'";
}

}  // namespace

std::string shell_word(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), needs_no_quotes)) {
    return std::string(text);
  }
  if (printable(text) != text) return with_escapes(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string shell_argument(std::string_view text) {
  return (text.starts_with('-') ? "-- " : "") + shell_word(text);
}

}  // namespace memcoord
