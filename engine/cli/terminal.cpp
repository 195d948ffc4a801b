#include "engine/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "engine/cli/options.h"

namespace memcoord::cli {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

void add_color_option(Command& command, ColorChoice& choice, const std::string& group) {
  add_choice(command, {"--color", "", "colours; auto, the default: where it is a terminal", group},
             {"auto", "always", "never"},
             [&choice](std::size_t index) { choice = static_cast<ColorChoice>(index); });
}

TextOut standard_output() {
  return {std::cout};
}

TextOut standard_error() {
  return {std::cerr};
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
  // The first of these that is set decides, as in setlocale(3).
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

}  // namespace memcoord::cli
