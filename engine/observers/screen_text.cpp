#include "engine/observers/screen_text.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>

#include "engine/core/printable.h"

namespace memcoord::observers {
namespace {

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
  const std::string_view bytes = printed(character);
  if (bytes.data() != character.bytes.data()) return {bytes};
  if (unicode) return {bytes, columns(character.code)};
  if (character.code < 0x80) return {character.bytes};
  return columns(character.code) == 0 ? Shown{"", 0} : Shown{"?"};
}

/// Copies as much of a text as fits into `room` columns, which it takes away from.
std::string take(std::string_view text, std::size_t& room, bool unicode) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
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
    const Character character = first_character(text);
    width += shown(character, unicode).columns;
    text.remove_prefix(character.bytes.size());
  }
  return width;
}

constexpr std::array<const char*, 8> kTints{"",         "\x1b[2m",  "\x1b[1m",  "\x1b[31m",
                                            "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[36m"};

}  // namespace

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
