#include "engine/observers/console.h"

namespace memcoord::observers {
namespace {

struct Glyph {
  std::string_view bytes;
  char32_t code = 0;
};

/// The next character of a UTF-8 text; a byte that starts none stands for itself.
Glyph next_glyph(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  std::size_t length = first < 0x80    ? 1
                       : first >= 0xf0 ? 4
                       : first >= 0xe0 ? 3
                       : first >= 0xc0 ? 2
                                       : 1;
  if (length > text.size()) length = 1;
  char32_t code = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  return {text.substr(0, length), code};
}

bool is_wide(char32_t code) {
  // East Asian wide and emoji blocks; wcwidth() would depend on the process's locale.
  return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
         (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
         (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
         (code >= 0x1f300 && code <= 0x1faff);
}

std::size_t columns(char32_t code) {
  if (code >= 0x300 && code <= 0x36f) return 0;  // combining marks
  return is_wide(code) ? 2 : 1;
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Glyph glyph = next_glyph(text);
    width += columns(glyph.code);
    text.remove_prefix(glyph.bytes.size());
  }
  return width;
}

std::string fit(std::string_view text, std::size_t width, bool unicode) {
  const bool too_long = display_width(text) > width;
  const std::size_t room = too_long ? (width > 0 ? width - 1 : 0) : width;
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const Glyph glyph = next_glyph(text);
    if (used + columns(glyph.code) > room) break;
    used += columns(glyph.code);
    if (is_control(glyph.code)) {
      out += ' ';
    } else if (!unicode && glyph.code >= 0x80) {
      out += '?';
    } else {
      out += glyph.bytes;
    }
    text.remove_prefix(glyph.bytes.size());
  }
  if (too_long && width > 0) out += unicode ? "…" : "~";
  return out;
}

}  // namespace memcoord::observers
