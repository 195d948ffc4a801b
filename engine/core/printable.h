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

/// Whether a character does something to its surroundings: moves the cursor, starts a terminal's
/// command (C0, C1), turns the direction of writing, breaks the line.
bool acts(char32_t code);

/// One line of well-formed UTF-8 of at most `most` bytes (then cut at a character and "..." put
/// behind). Line ends and tabs become spaces; characters that act, and bytes that are no UTF-8,
/// become "?".
std::string printable(std::string_view text, std::size_t most = std::string_view::npos);

/// JSON with escapes for the characters in its strings that act.
std::string printable_json(std::string json);

}  // namespace memcoord
