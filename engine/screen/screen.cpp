#include "engine/screen/screen.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace memcoord::screen {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMessagesKept = 100;
constexpr int kLinesOfShell = 4;  // the last lines of a run's log, above the line of the cursor
constexpr std::chrono::milliseconds kBetweenFrames = 50ms;  // unless a key was pressed
constexpr std::chrono::milliseconds kTimeToEnd = 200ms;
constexpr std::chrono::milliseconds kLongestWait = 1s;  // ages on the screen are in seconds

}  // namespace

Result<std::unique_ptr<Screen>> Screen::open(std::unique_ptr<TickSource> source, Options options) {
  const int wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) return fail(ErrorCode::internal, "screen", std::strerror(errno));
  // make_unique cannot call the private constructor.
  std::unique_ptr<Screen> screen(new Screen(std::move(source), std::move(options), wake_fd));
  std::promise<Status> promise;
  std::future<Status> opened = promise.get_future();
  screen->thread_ = std::thread([promise = std::move(promise), &self = *screen]() mutable {
    self.run_thread(std::move(promise));
    self.ended_.set_value();
  });
  if (Status status = opened.get(); !status) return fail(status.error());
  return screen;
}

Screen::Screen(std::unique_ptr<TickSource> source, Options options, int wake_fd)
    : options_(std::move(options)), wake_fd_(wake_fd), source_(std::move(source)) {
  state_.view = options_.view;
}

Screen::~Screen() {
  close();
  source_.reset();  // its thread may still wake the screen
  ::close(wake_fd_);
}

std::vector<Styled> Screen::close() {
  stop_ = true;
  wake();
  if (thread_.joinable()) {
    // It may wait for a terminal that nothing reads, in a frame or in the end of the screen.
    const auto ended = ended_.get_future();
    while (ended.wait_for(kTimeToEnd) != std::future_status::ready) release_output();
    thread_.join();
  }
  read_source();
  if (!reading_.newest) return {};
  observers::ConsoleStyle plain = style();
  plain.interactive = false;
  plain.height = std::max(height_ - kLinesOfShell, 1);
  return observers::plain_lines(*reading_.newest, table_, plain, state_.view);
}

void Screen::wake() {
  const std::uint64_t one = 1;
  // An eventfd's counter takes this write as long as it is open.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

void Screen::add_message(Message message) {
  {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    if (messages_.size() > kMessagesKept) messages_.pop_front();
  }
  wake();
}

std::deque<Message> Screen::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

void Screen::read_source() {
  const std::shared_ptr<const Tick> before = reading_.newest;
  do {
    reading_ = source_->read();
    if (reading_.reply) state_ = with_reply(std::move(state_), *reading_.reply);
  } while (reading_.reply);
  if (reading_.newest && reading_.newest != before) table_.remember(*reading_.newest);
}

observers::ConsoleStyle Screen::style() const {
  observers::ConsoleStyle style;
  style.interactive = true;
  style.color = options_.color;
  style.unicode = options_.unicode;
  style.local_time = options_.local_time;
  style.width = width_;
  style.height = height_;
  return style;
}

void Screen::draw(Terminal& terminal) {
  if (std::exchange(width_, terminal.columns()) != terminal.columns()) table_.forget_widths();
  height_ = terminal.lines();
  Drawn drawn = screen::draw(state_, {reading_, table_, messages()}, style());
  shown_ = std::move(drawn.shown);
  if (state_.page != ScreenState::Page::text) state_.view.first = shown_.first;
  terminal.draw(drawn.frame);
}

void Screen::press_key(const Key& key) {
  Pressed pressed = press(std::move(state_), key, shown_);
  state_ = std::move(pressed.state);
  if (pressed.query) source_->ask(*pressed.query);
  if (state_.ending) options_.quit();
}

void Screen::run_thread(std::promise<Status> opened) {
  // ncurses belongs to this thread from its beginning to its end.
  const auto terminal =
      Terminal::open({options_.color, options_.unicode, options_.input, options_.output});
  opened.set_value(terminal ? Status() : Status(fail(terminal.error())));
  if (terminal) run(**terminal);
}

void Screen::run(Terminal& terminal) {
  using Clock = std::chrono::steady_clock;
  read_source();
  source_->begin([this] { wake(); });
  Clock::time_point next_frame = Clock::now();
  bool changed = true;
  while (!stop_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_frame - Clock::now());
    if (changed && left <= 0ms) {
      read_source();
      changed = !terminal.takes_frames();
      if (!changed) draw(terminal);
      next_frame = Clock::now() + kBetweenFrames;
    }
    const auto event = terminal.wait(wake_fd_, changed ? std::max(left, 1ms) : kLongestWait);
    std::uint64_t wakes = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_fd_, &wakes, sizeof wakes);
    changed = true;
    if (event.hung_up) {
      options_.quit();
      return;
    }
    if (event.key) press_key(*event.key);
    if (event.key || event.redraw) next_frame = Clock::now();
  }
}

}  // namespace memcoord::screen
