#include "engine/core/printable.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace memcoord {
namespace {

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f;
}

}  // namespace

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {text.substr(0, 1), lead};
  const Character broken{text.substr(0, 1), 0xfffd, false};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || length > text.size()) return broken;
  char32_t code = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return broken;
    code = (code << 6U) | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (overlong || surrogate || code > 0x10ffff) return broken;
  return {text.substr(0, length), code};
}

bool acts(char32_t code) {
  const auto within = [code](char32_t first, char32_t last) {
    return code >= first && code <= last;
  };
  return code < 0x20 || within(0x7f, 0x9f) || code == 0x61c || within(0x200e, 0x200f) ||
         within(0x2028, 0x202e) || within(0x2066, 0x206f);
}

std::string printable(std::string_view text, std::size_t most) {
  if (text.size() <= most && std::all_of(text.begin(), text.end(), is_plain)) {
    return std::string(text);
  }
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    const bool blank = character.code == '\n' || character.code == '\t' || character.code == '\r';
    const bool shown = character.is_utf8 && !acts(character.code);
    const std::string_view piece = shown ? character.bytes : blank ? " " : "?";
    if (out.size() + piece.size() > most) return out + "...";
    out += piece;
    text.remove_prefix(character.bytes.size());
  }
  return out;
}

std::string printable_json(std::string json) {
  const auto passes = [](char c) { return is_plain(c) || c == '\n'; };
  if (std::all_of(json.begin(), json.end(), passes)) return json;
  std::string out;
  out.reserve(json.size());
  for (std::string_view left = json; !left.empty();) {
    const Character character = first_character(left);
    if (acts(character.code) && character.code != '\n') {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(character.code));
      out += escape.data();
    } else {
      out += character.bytes;
    }
    left.remove_prefix(character.bytes.size());
  }
  return out;
}

}  // namespace memcoord
