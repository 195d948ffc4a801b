#include "engine/observers/screen_text.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>

namespace memcoord::observers {
namespace {

struct Character {
  std::string_view bytes;
  char32_t code = 0;  ///< U+FFFD where the bytes are no UTF-8
  bool is_utf8 = true;
};

/// The next character of a text, by the Unicode standard's table of well-formed sequences; a byte
/// that starts none stands for itself.
Character next_character(std::string_view text) {
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

/// Whether a character does something to its surroundings: moves the cursor, turns the direction
/// of writing, breaks the line.
bool acts(char32_t code) {
  const auto within = [code](char32_t first, char32_t last) {
    return code >= first && code <= last;
  };
  return code < 0x20 || within(0x7f, 0x9f) || within(0x200e, 0x200f) || within(0x2028, 0x202e) ||
         within(0x2066, 0x2069);
}

/// The C library's table of characters for UTF-8, whatever the process's own locale is.
class Utf8Table {
 public:
  Utf8Table() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
  ~Utf8Table() {
    if (locale_ != nullptr) freelocale(locale_);
  }
  Utf8Table(const Utf8Table&) = delete;
  Utf8Table& operator=(const Utf8Table&) = delete;

  [[nodiscard]] std::size_t columns(char32_t code) const {
    if (locale_ == nullptr) return 1;
    const locale_t before = uselocale(locale_);
    const int width = wcwidth(static_cast<wchar_t>(code));
    uselocale(before);
    // What the table does not know yet is shown somehow; one column is the best guess.
    return width < 0 ? 1 : static_cast<std::size_t>(width);
  }

 private:
  locale_t locale_;
};

std::size_t columns(char32_t code) {
  if (code < 0x80) return 1;
  static const Utf8Table table;  // a constant; loading it takes 40 us
  return table.columns(code);
}

/// How a character is shown.
struct Shown {
  std::string_view bytes;
  std::size_t columns = 1;
};

Shown shown(const Character& character, bool unicode) {
  if (character.code == '\n' || character.code == '\t' || character.code == '\r') return {" "};
  if (!character.is_utf8 || acts(character.code)) return {"?"};
  if (unicode) return {character.bytes, columns(character.code)};
  if (character.code < 0x80) return {character.bytes};
  return columns(character.code) == 0 ? Shown{"", 0} : Shown{"?"};
}

/// Copies as much of a text as fits into `room` columns, which it takes away from.
std::string take(std::string_view text, std::size_t& room, bool unicode) {
  std::string out;
  while (!text.empty()) {
    const Character character = next_character(text);
    const Shown piece = shown(character, unicode);
    if (piece.columns > room) break;
    room -= piece.columns;
    out += piece.bytes;
    text.remove_prefix(character.bytes.size());
  }
  return out;
}

std::size_t width_of(std::string_view text, bool unicode) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = next_character(text);
    width += shown(character, unicode).columns;
    text.remove_prefix(character.bytes.size());
  }
  return width;
}

constexpr std::array<const char*, 8> kTints{"",         "\x1b[2m",  "\x1b[1m",  "\x1b[31m",
                                            "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[36m"};

}  // namespace

std::string printable(std::string_view text) {
  std::size_t room = text.size() * 2;
  return take(text, room, true);
}

std::size_t display_width(std::string_view text) {
  return width_of(text, true);
}

std::size_t display_width(const Styled& styled) {
  std::size_t width = 0;
  for (const Piece& piece : styled) width += display_width(piece.text);
  return width;
}

std::string fit(std::string_view text, std::size_t width, bool unicode) {
  const Styled fitted = fit(Styled{{std::string(text), Tint::none}}, width, unicode);
  std::string out;
  for (const Piece& piece : fitted) out += piece.text;
  return out;
}

Styled fit(const Styled& styled, std::size_t width, bool unicode) {
  std::size_t whole = 0;
  for (const Piece& piece : styled) whole += width_of(piece.text, unicode);
  const bool too_long = whole > width;
  std::size_t room = too_long && width > 0 ? width - 1 : width;
  Styled out;
  for (const Piece& piece : styled) {
    const std::size_t wanted = width_of(piece.text, unicode);
    const bool cut = wanted > room;
    out.push_back({take(piece.text, room, unicode), piece.tint});
    if (!cut) continue;
    if (width > 0) out.back().text += unicode ? "…" : "~";
    break;
  }
  return out;
}

std::string render(const Styled& styled, bool color) {
  std::string out;
  for (const Piece& piece : styled) {
    if (!color || piece.tint == Tint::none || piece.text.empty()) {
      out += piece.text;
    } else {
      out += kTints.at(static_cast<std::size_t>(piece.tint)) + piece.text + "\x1b[0m";
    }
  }
  return out;
}

}  // namespace memcoord::observers
