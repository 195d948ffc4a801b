#pragma once
// Words of a command line that a person pastes into a shell.

#include <string>
#include <string_view>

namespace memcoord {

/// A word that bash, zsh and ksh read as exactly this text, however hostile; it is printable
/// itself. Quoted only where that is needed.
std::string shell_word(std::string_view text);

/// A word for a place where a command's argument stands, with "--" before it where it would be read
/// as an option.
std::string shell_argument(std::string_view text);

}  // namespace memcoord
