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

bool needs_no_quotes(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') ||
         std::string_view("_-.,:/@%+=").find(c) != std::string_view::npos;
}

/// The text as $'...', with escapes for the bytes of characters that act.
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
  struct Range {
    char32_t first;
    char32_t last;
  };
  // C0, C1, and Unicode's bidirectional controls, line and paragraph separators, default ignorable
  // and interlinear characters, in ascending order.
  static constexpr std::array kRanges{
      Range{0x0, 0x1f},        Range{0x7f, 0x9f},       Range{0xad, 0xad},
      Range{0x34f, 0x34f},     Range{0x61c, 0x61c},     Range{0x115f, 0x1160},
      Range{0x17b4, 0x17b5},   Range{0x180b, 0x180f},   Range{0x200b, 0x200f},
      Range{0x2028, 0x202e},   Range{0x2060, 0x206f},   Range{0x3164, 0x3164},
      Range{0xfe00, 0xfe0f},   Range{0xfeff, 0xfeff},   Range{0xffa0, 0xffa0},
      Range{0xfff0, 0xfffb},   Range{0xfffe, 0xffff},   Range{0x1bca0, 0x1bca3},
      Range{0x1d173, 0x1d17a}, Range{0xe0000, 0xe0fff},
  };
  const auto range = std::find_if(kRanges.begin(), kRanges.end(),
                                  [code](const Range& one) { return code <= one.last; });
  return range != kRanges.end() && code >= range->first;
}

std::string_view printed(const Character& character) {
  if (character.code == '\n' || character.code == '\t' || character.code == '\r') return " ";
  return character.is_utf8 && !acts(character.code) ? character.bytes : "?";
}

std::string printable(std::string_view text, std::size_t most) {
  if (text.size() <= most && std::all_of(text.begin(), text.end(), is_plain)) {
    return std::string(text);
  }
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view piece = printed(character);
    if (out.size() + piece.size() > most) return out + "...";
    out += piece;
    text.remove_prefix(character.bytes.size());
  }
  return out;
}

std::string excerpt(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most;
  // A character that begins within the last four bytes may not end there.
  while (end > 0 && most - end < 4 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end)) + "...";
}

std::string printable_json(std::string json) {
  const auto passes = [](char c) { return is_plain(c) || c == '\n'; };
  if (std::all_of(json.begin(), json.end(), passes)) return json;
  std::string out;
  out.reserve(json.size());
  const auto escape = [&out](char32_t unit) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(unit & 0xffffU));
    out += text.data();
  };
  for (std::string_view left = json; !left.empty();) {
    const Character character = first_character(left);
    if (!acts(character.code) || character.code == '\n') {
      out += character.bytes;
    } else if (character.code < 0x10000) {
      escape(character.code);
    } else {
      // JSON writes such a character as a surrogate pair.
      escape(0xd800 + ((character.code - 0x10000) >> 10U));
      escape(0xdc00 + ((character.code - 0x10000) & 0x3ffU));
    }
    left.remove_prefix(character.bytes.size());
  }
  return out;
}

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
