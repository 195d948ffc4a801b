#pragma once
// Texts from elsewhere (names, metadata, scripts, libvirt's messages), made fit for terminals, logs
// and pages.

#include <cstddef>
#include <string>
#include <string_view>

namespace memcoord {

struct Character {
  std::string_view bytes;
  char32_t code = 0;  ///< U+FFFD where the bytes are no UTF-8
  bool is_utf8 = true;
};

/// The first character of a text that is not empty, by the Unicode standard's table of well-formed
/// sequences; a byte that starts none stands for itself.
Character first_character(std::string_view text);

/// Whether a character does something to its surroundings or shows nothing: moves the cursor,
/// starts a terminal's command (C0, C1), turns the direction of writing, breaks the line, has no
/// width (zero-width and default-ignorable characters, which make two names look alike).
bool acts(char32_t code);

/// What stands for a character in a printable text: a space for line ends and tabs, "?" for other
/// characters that act and for bytes that are no UTF-8, else the character itself.
std::string_view printed(const Character& character);

/// One line of well-formed UTF-8 of at most `most` bytes (then cut at a character and "..." put
/// behind), each character as printed() has it.
std::string printable(std::string_view text, std::size_t most = std::string_view::npos);

/// The text itself; where it is longer than `most` bytes, cut at a character with "..." behind. For
/// texts that are kept, such as those in messages; the edges make them printable.
std::string excerpt(std::string_view text, std::size_t most);

/// JSON with escapes for the characters in its strings that act.
std::string printable_json(std::string json);

}  // namespace memcoord
