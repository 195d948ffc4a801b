#pragma once
// Standard output and standard error: writing to them, colours, terminals.

#include <optional>
#include <string>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/error.h"
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
/// Commands print through these two. Only a run's table (observers/console.h), the screen
/// (engine/screen) and the log (logging.cpp) write by themselves.
TextOut standard_output();
TextOut standard_error();
/// Prints the lines, and a line end after each.
void print_lines(const std::vector<Styled>& lines, bool color);
bool is_terminal(Stream stream);
/// Automatic means: if the stream is a terminal with colours and NO_COLOR (https://no-color.org) is
/// not set.
bool wants_color(ColorChoice choice, Stream stream);
/// Whether the locale's encoding is UTF-8.
bool speaks_utf8();

/// The size of the terminal on standard output; nothing if it is not a terminal.
struct TerminalSize {
  int columns = 0;
  int lines = 0;
};
std::optional<TerminalSize> terminal_size();

/// Writes "memcoord: OBJECT: MESSAGE; HINT" to standard error: one line, made printable, and then
/// the lines of the error's detail (a traceback).
void report(const Error& error);
/// Writes each note as a line to standard error: "memcoord: text".
void print_notes(const std::vector<Note>& notes);

}  // namespace memcoord::cli
