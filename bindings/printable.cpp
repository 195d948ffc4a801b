#include "bindings/printable.h"

#include <algorithm>

namespace memcoord::bindings {
namespace {

struct Character {
  std::size_t bytes = 0;  ///< 0: not well-formed
  char32_t code = 0;
};

/// The first character, by the Unicode standard's table of well-formed sequences: no overlong
/// forms, no surrogates, nothing past U+10FFFF.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (bytes == 0 || lead > 0xf4 || bytes > text.size()) return {};
  char32_t code = lead & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return overlong || surrogate || code > 0x10ffff ? Character{} : Character{bytes, code};
}

/// Whether a character does something else than stand there.
bool acts(char32_t code) {
  const auto within = [code](char32_t first, char32_t last) {
    return code >= first && code <= last;
  };
  return code < 0x20 || within(0x7f, 0x9f) || within(0x200e, 0x200f) || within(0x2028, 0x202e) ||
         within(0x2066, 0x2069);
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  if (text.size() <= most &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) {
    return std::string(text);
  }
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const Character character = first_character(text.substr(i));
    const bool blank = text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
    const bool shown = character.bytes > 0 && !acts(character.code);
    const std::string_view piece = shown ? text.substr(i, character.bytes) : blank ? " " : "?";
    if (out.size() + piece.size() > most) return out + "...";
    out += piece;
    i += std::max<std::size_t>(character.bytes, 1);
  }
  return out;
}

}  // namespace memcoord::bindings
