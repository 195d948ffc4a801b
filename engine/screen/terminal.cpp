#include "engine/screen/terminal.h"

#define NCURSES_NOMACROS  // its functions stay functions
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <term.h>  // defines a macro for each capability of terminals
#undef columns
#undef lines
#include <termios.h>
#include <unistd.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "engine/core/printable.h"

namespace memcoord::screen {
namespace {

constexpr std::chrono::milliseconds kForegroundCheck{500};
constexpr int kTimeToTakeOutput = 100;   // milliseconds
constexpr int kEscapeMilliseconds = 50;  // a lone Esc; the rest of a key's sequence comes sooner

// --- Restoring in an emergency: no memory, no locks ---

int input_fd = STDIN_FILENO;
int output_fd = STDOUT_FILENO;
termios saved_modes{};
std::array<char, 256> leave_sequence{};
std::size_t leave_length = 0;
std::atomic<bool> is_shown = false;

/// Adds a sequence of terminfo, without the delays in it.
void add_to_leave_sequence(const char* capability) {
  const char* text = tigetstr(capability);
  if (text == nullptr || text == reinterpret_cast<const char*>(-1)) return;
  for (; *text != '\0' && leave_length < leave_sequence.size(); ++text) {
    if (text[0] == '$' && text[1] == '<') {
      while (*text != '\0' && *text != '>') ++text;
      if (*text == '\0') return;
      continue;
    }
    leave_sequence[leave_length++] = *text;
  }
}

constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

void end_after_restoring(int signal) {
  restore_now();
  std::raise(signal);  // SA_RESETHAND: the default action
}

/// Leaves handlers of others, such as a sanitizer's, in place.
void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction now {};
  if (sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) return;
  struct sigaction wanted {};
  wanted.sa_handler = handler;
  wanted.sa_flags = flags;
  sigemptyset(&wanted.sa_mask);
  sigaction(signal, &wanted, nullptr);
}

void unhandle(int signal, void (*handler)(int)) {
  struct sigaction now {};
  if (sigaction(signal, nullptr, &now) != 0 || now.sa_handler != handler) return;
  std::signal(signal, SIG_DFL);
}

// --- Signals of the terminal ---

constexpr std::array kTerminalSignals{SIGWINCH, SIGTSTP, SIGCONT};
std::atomic<int> signal_fd = -1;  // the writing end of a pipe

void pass_on(int signal) {
  const int before = errno;
  const auto byte = static_cast<char>(signal);
  [[maybe_unused]] const ssize_t written = ::write(signal_fd, &byte, 1);
  errno = before;
}

/// A terminal that does not control this process has no foreground.
bool in_foreground(int input) {
  const pid_t group = ::tcgetpgrp(input);
  return group < 0 || group == ::getpgrp();
}

/// Whether a write would not wait. Waits for that, for at most a number of milliseconds.
bool takes_output(int milliseconds) {
  pollfd output{output_fd, POLLOUT, 0};
  return ::poll(&output, 1, milliseconds) > 0;
}

/// While it lives, this thread has the locale of the environment, whose encoding ncurses uses. The
/// process keeps its own, because Lua's string functions follow that.
class ThreadLocale {
 public:
  explicit ThreadLocale(bool unicode) : locale_(newlocale(LC_CTYPE_MASK, "", nullptr)) {
    // A locale that is not installed, or that contradicts what the terminal is taken for.
    if (locale_ == nullptr) {
      locale_ = newlocale(LC_CTYPE_MASK, unicode ? "C.UTF-8" : "C", nullptr);
    }
    if (locale_ != nullptr) before_ = uselocale(locale_);
  }
  ~ThreadLocale() {
    if (locale_ == nullptr) return;
    uselocale(before_);
    freelocale(locale_);
  }
  ThreadLocale(const ThreadLocale&) = delete;
  ThreadLocale& operator=(const ThreadLocale&) = delete;

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

attr_t attributes_of(Tint tint, bool colored) {
  if (tint == Tint::dim) return A_DIM;
  if (tint == Tint::bold) return A_BOLD;
  if (tint == Tint::none || !colored) return A_NORMAL;
  return static_cast<attr_t>(COLOR_PAIR(static_cast<int>(tint)));
}

void set_up_colors() {
  start_color();
  use_default_colors();
  const std::array<std::pair<Tint, short>, 5> pairs{{{Tint::red, COLOR_RED},
                                                     {Tint::green, COLOR_GREEN},
                                                     {Tint::yellow, COLOR_YELLOW},
                                                     {Tint::blue, COLOR_BLUE},
                                                     {Tint::cyan, COLOR_CYAN}}};
  for (const auto& [tint, color] : pairs) init_pair(static_cast<short>(tint), color, -1);
}

std::string utf8_of(wint_t code) {
  mbstate_t state{};
  std::array<char, MB_LEN_MAX> bytes{};
  const std::size_t size = wcrtomb(bytes.data(), static_cast<wchar_t>(code), &state);
  return size == static_cast<std::size_t>(-1) ? std::string() : std::string(bytes.data(), size);
}

std::optional<Key> named_key(wint_t code) {
  using Kind = Key::Kind;
  switch (code) {
    case KEY_UP:
      return Key{Kind::up};
    case KEY_DOWN:
      return Key{Kind::down};
    case KEY_LEFT:
      return Key{Kind::left};
    case KEY_RIGHT:
      return Key{Kind::right};
    case KEY_PPAGE:
      return Key{Kind::page_up};
    case KEY_NPAGE:
      return Key{Kind::page_down};
    case KEY_HOME:
      return Key{Kind::home};
    case KEY_END:
      return Key{Kind::end};
    case KEY_ENTER:
      return Key{Kind::enter};
    case KEY_BACKSPACE:
    case KEY_DC:
      return Key{Kind::backspace};
    default:
      return std::nullopt;
  }
}

std::optional<Key> typed_key(wint_t code) {
  if (code == '\n' || code == '\r') return Key{Key::Kind::enter};
  if (code == 0x1b) return Key{Key::Kind::escape};
  if (code == 0x7f || code == '\b') return Key{Key::Kind::backspace};
  std::string text = utf8_of(code);
  if (text.empty() || printable(text) != text) return std::nullopt;
  return Key{Key::Kind::character, std::move(text)};
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

}  // namespace

struct Terminal::Curses {
  explicit Curses(const Options& options) : locale(options.unicode) {}
  ThreadLocale locale;
  File input;
  File output;
  SCREEN* screen = nullptr;
  bool tinted = false;
  bool colored = false;
  std::array<int, 2> signals{-1, -1};
};

void release_output() noexcept {
  if (takes_output(0) || !in_foreground(output_fd)) return;
  ::tcflush(output_fd, TCOFLUSH);
  // TCOON alone neither ends what Ctrl-S began nor wakes a write that waits.
  ::tcflow(output_fd, TCOOFF);
  ::tcflow(output_fd, TCOON);
}

void restore_now() noexcept {
  if (!is_shown.exchange(false)) return;
  release_output();
  // A write of another thread that waited may have to end first.
  if (takes_output(kTimeToTakeOutput)) {
    [[maybe_unused]] const ssize_t count = ::write(output_fd, leave_sequence.data(), leave_length);
  }
  ::tcsetattr(input_fd, TCSANOW, &saved_modes);
}

bool Terminal::usable() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1 || !in_foreground(STDIN_FILENO)) {
    return false;
  }
  int code = 0;
  if (setupterm(nullptr, STDOUT_FILENO, &code) != OK) return false;
  const char* move = tigetstr("cup");
  const bool moves = move != nullptr && move != reinterpret_cast<const char*>(-1);
  del_curterm(cur_term);
  return moves;
}

Result<std::unique_ptr<Terminal>> Terminal::open(Options options) {
  // make_unique cannot call the private constructor.
  std::unique_ptr<Terminal> terminal(new Terminal);
  terminal->curses_ = std::make_unique<Curses>(options);
  Curses& curses = *terminal->curses_;
  if (::pipe2(curses.signals.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return fail(ErrorCode::unavailable, "terminal", std::strerror(errno));
  }
  input_fd = options.input;
  output_fd = options.output;
  ::tcgetattr(input_fd, &saved_modes);
  // Before ncurses, which would handle them in whatever thread gets them.
  signal_fd = curses.signals[1];
  for (const int signal : kTerminalSignals) handle(signal, pass_on, SA_RESTART);
  curses.input.reset(::fdopen(::fcntl(input_fd, F_DUPFD_CLOEXEC, 0), "r"));
  curses.output.reset(::fdopen(::fcntl(output_fd, F_DUPFD_CLOEXEC, 0), "w"));
  if (curses.input && curses.output) {
    curses.screen = newterm(nullptr, curses.output.get(), curses.input.get());
  }
  if (curses.screen == nullptr) {
    return fail(ErrorCode::unavailable, "terminal", "ncurses cannot use it", "check TERM");
  }
  use_legacy_coding(0);  // ncurses asks for the process's locale, and not for the thread's
  leave_length = 0;
  for (const char* capability : {"sgr0", "rmkx", "cnorm", "rmcup"}) {
    add_to_leave_sequence(capability);
  }
  is_shown = terminal->shown_ = true;
  for (const int signal : kFatal)
    handle(signal, end_after_restoring, static_cast<int>(SA_RESETHAND));
  set_escdelay(kEscapeMilliseconds);
  cbreak();
  noecho();
  nonl();
  keypad(stdscr, true);
  nodelay(stdscr, true);
  curs_set(0);
  curses.tinted = options.color;
  curses.colored = options.color && has_colors();
  if (curses.colored) set_up_colors();
  return terminal;
}

Terminal::~Terminal() {
  if (curses_->screen != nullptr) {
    // In the background, a change of the terminal's modes would stop the process.
    if (shown_ && is_shown.exchange(false)) endwin();
    delscreen(curses_->screen);
  }
  for (const int signal : kFatal) unhandle(signal, end_after_restoring);
  for (const int signal : kTerminalSignals) unhandle(signal, pass_on);
  signal_fd = -1;
  for (const int fd : curses_->signals) {
    if (fd >= 0) ::close(fd);
  }
}

int Terminal::columns() const {
  return getmaxx(stdscr);
}
int Terminal::lines() const {
  return getmaxy(stdscr);
}

bool Terminal::takes_frames() const {
  return takes_output(0);
}

void Terminal::draw(const Frame& frame) {
  if (!shown_ || !is_shown) return;
  erase();
  const std::size_t height = static_cast<std::size_t>(std::max(lines(), 0));
  for (std::size_t i = 0; i < std::min(frame.lines.size(), height); ++i) {
    const attr_t line_attributes = frame.selected == i ? A_REVERSE : A_NORMAL;
    move(static_cast<int>(i), 0);
    for (const Piece& piece : frame.lines[i]) {
      const attr_t tint = curses_->tinted ? attributes_of(piece.tint, curses_->colored) : A_NORMAL;
      attrset(static_cast<int>(tint | line_attributes));
      addstr(piece.text.c_str());
    }
    if (line_attributes == A_NORMAL) continue;
    attrset(static_cast<int>(line_attributes));
    for (int x = getcurx(stdscr); x < columns() && getcury(stdscr) == static_cast<int>(i); ++x) {
      addch(' ');
    }
  }
  attrset(A_NORMAL);
  curs_set(frame.cursor_at ? 1 : 0);
  const int last = static_cast<int>(std::min(frame.lines.size(), height)) - 1;
  if (frame.cursor_at) move(std::max(last, 0), static_cast<int>(*frame.cursor_at));
  refresh();
}

std::optional<Key> Terminal::read_key() {
  for (;;) {
    wint_t code = 0;
    const int kind = get_wch(&code);
    if (kind == ERR) return std::nullopt;
    const auto key = kind == KEY_CODE_YES ? named_key(code) : typed_key(code);
    if (key) return key;
  }
}

Terminal::Event Terminal::wait(int wake_fd, std::chrono::milliseconds time) {
  Event event;
  if (shown_ && (event.key = read_key())) return event;
  // Reading in the background would stop the process. Nothing tells when a shell brings a process
  // that runs to the foreground.
  if (!shown_) time = std::min(time, kForegroundCheck);
  std::array<pollfd, 3> watched{
      {{curses_->signals[0], POLLIN, 0}, {wake_fd, POLLIN, 0}, {input_fd, POLLIN, 0}}};
  ::poll(watched.data(), shown_ ? 3 : 2, static_cast<int>(time.count()));
  event.hung_up = (watched[2].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  std::array<char, 64> signals{};
  const ssize_t got = ::read(curses_->signals[0], signals.data(), signals.size());
  for (ssize_t i = 0; i < got; ++i) {
    if (signals.at(static_cast<std::size_t>(i)) == SIGTSTP) suspend();
    event.redraw = true;
  }
  if (event.redraw || !shown_) show_again();
  if (shown_ && !event.hung_up) event.key = read_key();
  return event;
}

void Terminal::suspend() {
  if (shown_ && is_shown.exchange(false)) endwin();
  shown_ = false;
  unhandle(SIGTSTP, pass_on);
  std::raise(SIGTSTP);  // stops the process, unless no shell could continue it
  handle(SIGTSTP, pass_on, SA_RESTART);
}

void Terminal::show_again() {
  if (!in_foreground(input_fd)) {
    shown_ = is_shown = false;
    return;
  }
  winsize size{};
  if (::ioctl(output_fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    resizeterm(size.ws_row, size.ws_col);
  }
  clearok(curscr, true);  // the terminal may show anything
  refresh();
  is_shown = shown_ = true;
}

}  // namespace memcoord::screen
