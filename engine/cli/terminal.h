#pragma once
// What standard output and standard error are connected to, and whether they get colours.

#include <optional>
#include <string>

#include "engine/core/memory_size.h"
#include "engine/core/screen_text.h"

namespace memcoord::cli {

struct Command;

enum class ColorChoice { automatic, always, never };

/// Adds --color=auto|always|never.
void add_color_option(Command& command, ColorChoice& choice, const std::string& group = "Options");
/// Adds --units=auto|KiB|MiB|GiB.
void add_units_option(Command& command, Units& units, const std::string& group = "Options");

enum class Stream { output, error };
/// All that commands print goes through these two, but for the table that is drawn in place
/// (observers/console.h) and the log (logging.cpp).
TextOut standard_output();
TextOut standard_error();
bool is_terminal(Stream stream);
/// Automatic: where the stream is a terminal that knows colours and NO_COLOR is not set
/// (https://no-color.org).
bool wants_color(ColorChoice choice, Stream stream);
/// Whether the locale's characters are UTF-8.
bool speaks_utf8();

/// Columns and lines of the terminal on standard output; none where it is no terminal.
struct TerminalSize {
  int columns = 0;
  int lines = 0;
};
std::optional<TerminalSize> terminal_size();

}  // namespace memcoord::cli
