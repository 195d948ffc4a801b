#pragma once
// What commands print for people.

#include <concepts>
#include <ostream>
#include <string_view>

namespace memcoord {

/// A text in a colour of the terminal: an SGR code such as "31", none where it is empty.
struct Painted {
  std::string_view code;
  std::string_view text;
};

/// Writes texts to a stream. Each text comes out printable, on one line: only what the program puts
/// between texts ends a line, paints or acts on the terminal.
class TextOut {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): any stream is one to write to
  TextOut(std::ostream& out) : out_(&out) {}

  /// A text, from wherever it comes.
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
  /// What acts on the terminal: a constant of the program's own.
  TextOut& control(const char* sequence) {
    *out_ << sequence;
    return *this;
  }
  /// Hands over what is written to its reader. A full disk behind the stream costs what met it,
  /// not what follows.
  void flush() {
    *out_ << std::flush;
    out_->clear();
  }

 private:
  std::ostream* out_;
};

}  // namespace memcoord
