#pragma once
// A table of domains on the whole terminal, which a person pages, sorts and filters by keys, as in
// top.

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/core/error.h"
#include "engine/observers/domain_table.h"
#include "engine/screen/screen_frame.h"
#include "engine/screen/screen_state.h"
#include "engine/screen/terminal.h"
#include "engine/screen/tick_source.h"

namespace memcoord::screen {

/// Draws in a thread of its own. wake(), add_message() and messages() may be called from any
/// thread, and never wait for the terminal.
class Screen {
 public:
  struct Options {
    bool color = false;
    bool unicode = false;
    bool local_time = true;
    int input = 0;  ///< file descriptors of the terminal
    int output = 1;
    observers::TableView view;
    /// A person pressed q, or the terminal is gone. Called in the screen's thread, maybe again.
    std::function<void()> quit;
  };
  /// Takes over the terminal, which must be usable(). Errors: those of Terminal::open().
  static Result<std::unique_ptr<Screen>> open(std::unique_ptr<TickSource> source, Options options);
  /// Restores the terminal.
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Restores the terminal and ends the thread. If nothing reads the terminal, drops its unread
  /// output. Returns the newest tick's table as for a pipe; it is empty before the first tick.
  std::vector<Styled> close();

  /// The source has news.
  void wake();
  /// Adds a line below the table, where lines of a log would destroy it.
  void add_message(Message message);
  /// The newest of the messages, the oldest first.
  [[nodiscard]] std::deque<Message> messages() const;

 private:
  Screen(std::unique_ptr<TickSource> source, Options options, int wake_fd);
  void run_thread(std::promise<Status> opened);
  void run(Terminal& terminal);
  [[nodiscard]] observers::ConsoleStyle style() const;
  void draw(Terminal& terminal);
  void read_source();
  void press_key(const Key& key);

  Options options_;
  const int wake_fd_;
  std::unique_ptr<TickSource> source_;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::deque<Message> messages_;  // under mutex_

  // The screen's thread only; after its end, close() and the destructor.
  ScreenState state_;
  Shown shown_;
  TickSource::Reading reading_;
  observers::DomainTable table_;
  int width_ = 0;
  int height_ = 0;

  std::promise<void> ended_;  // set at the thread's end
  std::thread thread_;
};

}  // namespace memcoord::screen
