#pragma once
// Texts from outside (names, metadata, scripts, libvirt's messages), made safe for terminals, logs,
// pages, JSON and shells.

#include <cstddef>
#include <string>
#include <string_view>

namespace memcoord {

/// One character of a text.
struct Character {
  std::string_view bytes;  ///< part of the text
  char32_t code = 0;       ///< U+FFFD if the bytes are no UTF-8
  bool is_utf8 = true;
};

/// The first character of a text, which must not be empty, by the Unicode standard's table of
/// well-formed byte sequences (table 3-7). A byte that starts no such sequence is a character by
/// itself.
Character first_character(std::string_view text);

/// Whether a character acts on its surroundings or is invisible: it moves the cursor or starts a
/// control sequence (C0, C1), changes the direction of writing, breaks the line, or has no width
/// (zero-width and default-ignorable characters, which make two names look alike).
bool acts(char32_t code);

/// The form of a character in a printable text: a space for line ends and tabs, "?" for other
/// characters that act and for bytes that are no UTF-8, otherwise the character itself.
std::string_view printed(const Character& character);

/// The text as one line of well-formed UTF-8, each character in its printed() form. A result longer
/// than `most` bytes is cut between characters and ends with "...".
std::string printable(std::string_view text, std::size_t most = std::string_view::npos);

/// The text itself; if it is longer than `most` bytes, cut between characters, with "..." at its
/// end. For texts that are stored, such as those in messages: the code that shows them makes them
/// printable.
std::string excerpt(std::string_view text, std::size_t most);

/// JSON with escapes in place of the characters in its strings that act.
std::string printable_json(std::string json);

/// A word that bash, zsh and ksh read as exactly this text, however hostile. The word is printable,
/// and quoted only if necessary.
std::string shell_word(std::string_view text);

/// A word in the place of a command's argument: with "--" before it if the command would take it
/// for an option.
std::string shell_argument(std::string_view text);

}  // namespace memcoord
