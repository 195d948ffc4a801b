#pragma once
// Texts for terminals and log lines: nothing in them acts on a terminal, and their width is known.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace memcoord::observers {

/// Columns that the printable form (engine/core/printable.h) of a text takes on a terminal.
std::size_t display_width(std::string_view text);

/// The printable form of a text, cut to a width in columns, with "…" at its end where something is
/// missing. Without `unicode` that is "~", and what is not ASCII shows as "?".
std::string fit(std::string_view text, std::size_t width, bool unicode);

enum class Tint { none, dim, bold, red, green, yellow, blue, cyan };

/// A text in one tint.
struct Piece {
  std::string text;
  Tint tint = Tint::none;
};
/// A text in several tints.
using Styled = std::vector<Piece>;

std::size_t display_width(const Styled& styled);
/// As fit(), over all pieces.
Styled fit(const Styled& styled, std::size_t width, bool unicode);
/// The bytes for the terminal; without `color` the text alone.
std::string render(const Styled& styled, bool color);

}  // namespace memcoord::observers
