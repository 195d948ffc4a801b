#include "engine/core/text_out.h"

#include <algorithm>

#include "engine/core/printable.h"

namespace memcoord {

TextOut& TextOut::operator<<(std::string_view text) {
  *out_ << printable(text);
  return *this;
}

TextOut& TextOut::operator<<(const Painted& painted) {
  if (painted.code.empty()) return *this << painted.text;
  *out_ << "\x1b[" << painted.code << 'm' << printable(painted.text) << "\x1b[0m";
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
