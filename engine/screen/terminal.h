#pragma once
// A terminal in full-screen mode, by ncurses: keys in, frames out.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/screen_text.h"

namespace memcoord::screen {

/// A key that was pressed.
struct Key {
  enum class Kind {
    character,
    enter,
    escape,
    backspace,
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
  };
  Kind kind = Kind::character;
  std::string text = {};  ///< of a character: UTF-8, never a control character

  [[nodiscard]] bool is(std::string_view character) const {
    return kind == Kind::character && text == character;
  }
  bool operator==(const Key&) const = default;
};

/// The lines of a screen. Longer lines, and lines below the screen, are cut.
struct Frame {
  std::vector<Styled> lines;                  ///< printable
  std::optional<std::size_t> selected = {};   ///< the line in reverse video
  std::optional<std::size_t> cursor_at = {};  ///< the column of the cursor in the last line
};

/// One instance at a time, and all calls from one thread.
class Terminal {
 public:
  /// Colours are used if the terminal has them. Without `unicode`, text is ASCII.
  struct Options {
    bool color = false;
    bool unicode = false;
    int input = 0;   ///< a file descriptor of the terminal; standard input by default
    int output = 1;  ///< the same; standard output by default
  };
  /// Whether standard input and output are a terminal that full-screen programs can use, and this
  /// process is in its foreground.
  [[nodiscard]] static bool usable();
  /// Switches to the alternate screen. Errors: unavailable.
  static Result<std::unique_ptr<Terminal>> open(Options options);
  /// Restores the terminal.
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] int columns() const;
  [[nodiscard]] int lines() const;
  /// Whether something reads the terminal, so that draw() would not wait at once.
  [[nodiscard]] bool takes_frames() const;
  /// Shows the frame; nothing while another process is in the terminal's foreground.
  void draw(const Frame& frame);

  /// What ended a wait.
  struct Event {
    std::optional<Key> key = {};
    bool redraw = false;   ///< the size changed, or the terminal came back: draw all
    bool hung_up = false;  ///< the terminal is gone
  };
  /// Waits for a key, for input on `wake_fd`, or for a signal of the terminal, for at most `time`.
  /// A SIGTSTP (Ctrl-Z) restores the terminal and stops the process here.
  Event wait(int wake_fd, std::chrono::milliseconds time);

 private:
  struct Curses;
  Terminal() = default;
  [[nodiscard]] std::optional<Key> read_key();
  void suspend();
  void show_again();

  std::unique_ptr<Curses> curses_;
  bool shown_ = false;  ///< the alternate screen is on
};

/// If nothing reads the open Terminal (Ctrl-S, a frozen connection), drops what it has not read and
/// lets its output go on, so that a write that waits returns. From any thread and from signal
/// handlers.
void release_output() noexcept;

/// Restores the terminal if a Terminal is open, for a process that is about to end without its
/// destructors. It does not wait for a terminal that nothing reads. From any thread and from signal
/// handlers; fatal signals call it.
void restore_now() noexcept;

}  // namespace memcoord::screen
