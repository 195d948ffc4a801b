#include "engine/core/screen_text.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/printable.h"

namespace memcoord {
namespace {

/// The C library's table of character widths for UTF-8, independent of the process's locale.
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
    // For a character that the table does not know, one column is the best guess.
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

/// A character as the screen shows it.
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

bool is_plain_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// Copies as much of a text as fits into `room` columns, and takes its width off `room`.
std::string take(std::string_view text, std::size_t& room, bool unicode) {
  if (text.size() <= room && is_plain_text(text)) {
    room -= text.size();
    return std::string(text);
  }
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
  if (is_plain_text(text)) return text.size();
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    width += shown(character, unicode).columns;
    text.remove_prefix(character.bytes.size());
  }
  return width;
}

/// A text after the SGR code of its tint, which ends with it.
std::string painted_text(Tint tint, std::string_view text) {
  static constexpr std::array<const char*, 8> kCodes{
      "", "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[36m"};
  return kCodes.at(static_cast<std::size_t>(tint)) + std::string(text) + "\x1b[0m";
}

std::string repeated(const char* glyph, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += glyph;
  return out;
}

/// The columns of a part: rounded, but at least one for a part over zero.
std::size_t columns_of(double part, double whole, std::size_t width) {
  if (!(part > 0) || !(whole > 0)) return 0;
  const double columns = std::clamp(part / whole, 0.0, 1.0) * static_cast<double>(width);
  return static_cast<std::size_t>(std::max(std::lround(columns), 1L));
}

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
    const bool plain = !color || piece.tint == Tint::none || piece.text.empty();
    out += plain ? piece.text : painted_text(piece.tint, piece.text);
  }
  return out;
}

std::string sparkline(std::span<const double> values, double top, bool unicode) {
  static constexpr std::array<const char*, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 8> kPlain{"_", ".", "-", "~", "=", "+", "*", "#"};
  if (top <= 0) {
    for (const double value : values) {
      if (!std::isnan(value)) top = std::max(top, value);
    }
  }
  std::string line;
  for (const double value : values) {
    if (std::isnan(value)) {
      line += ' ';
      continue;
    }
    const double part = top > 0 ? std::clamp(value / top, 0.0, 1.0) : 0;
    const auto bar = static_cast<std::size_t>(std::lround(part * 7));
    line += unicode ? kBars.at(bar) : kPlain.at(bar);
  }
  return line;
}

Bar bar(const BarParts& parts, std::size_t width, bool unicode) {
  const std::size_t used = std::min(columns_of(parts.used, parts.whole, width), width);
  const std::size_t spare = std::min(columns_of(parts.spare, parts.whole, width), width - used);
  return {repeated(unicode ? "█" : "#", used), repeated(unicode ? "░" : "-", spare),
          repeated(unicode ? "·" : ".", width - used - spare)};
}

TextOut& TextOut::operator<<(std::string_view text) {
  *out_ << printable(text);
  return *this;
}

TextOut& TextOut::operator<<(const Painted& painted) {
  if (painted.tint == Tint::none) return *this << painted.text;
  *out_ << painted_text(painted.tint, printable(painted.text));
  return *this;
}

TextOut& TextOut::lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
    *this << text.substr(0, end);
    if (end < text.size()) *this << text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return *this;
}

}  // namespace memcoord
