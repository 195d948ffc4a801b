#pragma once
// Text on terminals: its width in columns, its colour, pictures of figures, and the stream that
// keeps other people's texts from acting on the terminal.

#include <concepts>
#include <cstddef>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace memcoord {

/// The columns that the printable form (engine/core/printable.h) of a text takes on a terminal.
std::size_t display_width(std::string_view text);

/// The printable form of a text, cut to a width in columns; "…" marks a cut. Without `unicode` the
/// mark is "~", and characters outside ASCII show as "?".
std::string fit(std::string_view text, std::size_t width, bool unicode);

/// Colours and weights of a terminal (SGR codes).
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
/// The bytes for the terminal; without `color` the text alone. Does not make the text printable:
/// fit() does.
std::string render(const Styled& styled, bool color);

/// A picture of figures in one line, one character for each value, the newest last. Values are
/// scaled from 0 to `top`, or to the largest value if `top` is 0. Draws in eighths of a block, or
/// without `unicode` in "_.-~=+*#". A value that is not a number shows as a blank.
std::string sparkline(std::span<const double> values, double top, bool unicode);

/// Parts of a whole, all in one unit.
struct BarParts {
  double used = 0;
  double spare = 0;
  double whole = 0;  ///< fills the bar
};
/// The three parts of a bar: used ("█", "#"), spare ("░", "-") and the rest ("·", ".").
struct Bar {
  std::string used;
  std::string spare;
  std::string rest;
};
/// A bar of `width` columns. A part over zero gets a column if there is room.
Bar bar(const BarParts& parts, std::size_t width, bool unicode);

/// A text to print in a tint.
struct Painted {
  Tint tint = Tint::none;
  std::string_view text;
};

/// Writes texts to a stream. Each text comes out printable, on one line: only the program itself
/// ends lines, paints and controls the terminal. The stream outlives it.
class TextOut {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): every stream can be written to
  TextOut(std::ostream& out) : out_(&out) {}

  /// A text from anywhere.
  TextOut& operator<<(std::string_view text);
  TextOut& operator<<(const Painted& painted);
  /// A line end, tab or blank of the program's own.
  TextOut& operator<<(char layout) {
    *out_ << layout;
    return *this;
  }
  template <std::integral Number>
  TextOut& operator<<(Number number) {
    *out_ << number;
    return *this;
  }
  /// Several lines whose line ends and tabs are the program's own: JSON, help, a whole sentence.
  TextOut& lines(std::string_view text);
  /// A control sequence: a constant of the program's own.
  TextOut& control(const char* sequence) {
    *out_ << sequence;
    return *this;
  }
  /// Flushes the stream and clears its errors: after a full disk, later texts are written again.
  void flush() {
    *out_ << std::flush;
    out_->clear();
  }

 private:
  std::ostream* out_;
};

}  // namespace memcoord
