#include "engine/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string_view>

#include "engine/cli/command.h"

namespace memcoord::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

void add_color_option(Command& command, ColorChoice& choice, const std::string& group) {
  add_choice(command, {"--color", "", "when to use colours; default auto: on a terminal", group},
             {"auto", "always", "never"},
             [&choice](std::size_t index) { choice = static_cast<ColorChoice>(index); });
}

void add_units_option(Command& command, Units& units, const std::string& group) {
  add_choice(
      command,
      {"--units", "",
       "the unit of sizes; default auto: the unit that fits, with three digits; with another unit, "
       "tables show it in their titles",
       group},
      {"auto", "KiB", "MiB", "GiB"},
      [&units](std::size_t index) { units = static_cast<Units>(index); });
}

TextOut standard_output() {
  return {std::cout};
}

TextOut standard_error() {
  return {std::cerr};
}

void print_lines(const std::vector<Styled>& lines, bool color) {
  TextOut out = standard_output();
  for (const Styled& line : lines) {
    for (const Piece& piece : line) out << Painted{color ? piece.tint : Tint::none, piece.text};
    out << '\n';
  }
}

bool is_terminal(Stream stream) {
  return isatty(stream == Stream::output ? STDOUT_FILENO : STDERR_FILENO) == 1;
}

bool wants_color(ColorChoice choice, Stream stream) {
  if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
  const std::string_view term = environment("TERM");
  return environment("NO_COLOR").empty() && term != "dumb" && !term.empty() && is_terminal(stream);
}

bool speaks_utf8() {
  // The first that is set decides, as in setlocale(3).
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = environment(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != std::string_view::npos ||
           locale.find("utf8") != std::string_view::npos;
  }
  return false;
}

std::optional<TerminalSize> terminal_size() {
  winsize size{};
  if (!is_terminal(Stream::output) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
    return std::nullopt;
  }
  if (size.ws_col == 0) return std::nullopt;
  return TerminalSize{size.ws_col, size.ws_row};
}

void report(const Error& error) {
  TextOut out = standard_error();
  out << "memcoord: " << error.text() << '\n';
  std::istringstream detail(error.detail);
  for (std::string line; std::getline(detail, line);) {
    const std::size_t indent = line.starts_with('\t') ? 1 : 0;
    if (indent > 0) out << '\t';
    out << std::string_view(line).substr(indent) << '\n';
  }
}

void print_notes(const std::vector<Note>& notes) {
  for (const Note& note : notes) standard_error() << "memcoord: " << note.text << '\n';
}

}  // namespace memcoord::cli
