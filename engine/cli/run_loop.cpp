#include "engine/cli/run_loop.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "engine/cli/command.h"
#include "engine/core/tick_rhythm.h"
#include "engine/screen/terminal.h"

namespace memcoord::cli {
namespace {

/// When the next tick is due, and what may bring it forward.
struct Wait {
  TickRhythm& rhythm;
  const Coordinator& coordinator;
  std::optional<MonotonicTime> began;  ///< the last tick
};

// Waits until the next tick is due and handles requests meanwhile. Returns false if the loop must
// end.
bool wait_for_tick(Wait& wait, Clock& clock, const LoopHooks& hooks) {
  bool forward = false;
  for (;;) {
    if (hooks.stop_requested()) return false;
    hooks.handle_requests();
    if (wait.coordinator.wants_tick() && !forward) {
      wait.rhythm.bring_forward(wait.began, clock.now());
      forward = true;
    }
    const Duration left = wait.rhythm.due() - clock.now();
    if (left <= Duration::zero()) return true;
    clock.sleep_for(left);
  }
}

}  // namespace

Result<std::unique_ptr<Signals>> Signals::listen() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  if (const int code = pthread_sigmask(SIG_BLOCK, &set, nullptr); code != 0) {
    return fail(ErrorCode::internal, "signals", std::strerror(code));
  }
  std::signal(SIGPIPE, SIG_IGN);
  const int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signal_fd < 0) return fail(ErrorCode::internal, "signals", std::strerror(errno));
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) {
    const int code = errno;
    ::close(signal_fd);
    return fail(ErrorCode::internal, "signals", std::strerror(code));
  }
  // make_unique cannot call the private constructor.
  return std::unique_ptr<Signals>(new Signals(signal_fd, wake_fd));
}

Signals::Signals(int signal_fd, int wake_fd)
    : signal_fd_(signal_fd), wake_fd_(wake_fd), thread_([this] { run(); }) {}

Signals::~Signals() {
  const std::uint64_t one = 1;
  // An eventfd's counter takes this write as long as it is open.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
  thread_.join();
  ::close(signal_fd_);
  ::close(wake_fd_);
}

void Signals::run() {
  for (;;) {
    pollfd watched[] = {{signal_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) return;
    if ((watched[1].revents & POLLIN) != 0) return;
    signalfd_siginfo info{};
    while (::read(signal_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      handle(static_cast<int>(info.ssi_signo));
    }
  }
}

void Signals::handle(int signal) {
  if (signal != SIGHUP) {
    // _exit, because destructors and atexit handlers could wait for the call that hangs.
    // request_stop() does not count as a signal: after it, the first signal forces nothing.
    if (std::exchange(signalled_, true)) {
      screen::restore_now();
      ::_exit(static_cast<int>(ExitCode::forced));
    }
    if (leave_at_once_) ::_exit(static_cast<int>(ExitCode::ok));
    request_stop();
    return;
  }
  const std::lock_guard lock(mutex_);
  reload_ = true;
  changed_.notify_all();
}

bool Signals::consume_reload() {
  const std::lock_guard lock(mutex_);
  return std::exchange(reload_, false);
}

void Signals::request_stop() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  changed_.notify_all();
}

void Signals::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

bool Signals::wait_for(Duration duration) {
  std::unique_lock lock(mutex_);
  const auto requested = [this] { return stop_ || reload_ || woken_; };
  const bool cut_short = changed_.wait_for(lock, duration, requested);
  woken_ = false;
  return !cut_short;
}

std::string_view to_text(LoopEnd end) {
  switch (end) {
    case LoopEnd::ticks_done:
      return "all ticks done";
    case LoopEnd::idle:
      return "no active domains";
    case LoopEnd::over:
      return "the scenario has ended";
    case LoopEnd::stopped:
      return "asked to end";
  }
  return "";
}

LoopEnd run_loop(Coordinator& coordinator, Clock& clock, const LoopOptions& options,
                 const LoopHooks& hooks) {
  TickRhythm rhythm(options.interval, options.min_interval, clock.now());
  Wait wait{rhythm, coordinator, std::nullopt};
  for (std::uint64_t done = 0;;) {
    if (!wait_for_tick(wait, clock, hooks)) return LoopEnd::stopped;
    const MonotonicTime began = clock.now();
    wait.began = began;
    const Tick tick = coordinator.tick();
    hooks.after(tick);
    if (options.ticks && ++done >= *options.ticks) return LoopEnd::ticks_done;
    if (options.exit_when_idle && hooks.idle(tick)) return LoopEnd::idle;
    if (hooks.over()) return LoopEnd::over;
    const TickRhythm::Next next = rhythm.next(tick, began, clock.now());
    if (next.skipped > 0) hooks.skipped(next.skipped);
    if (next.early) hooks.early();
    if (next.budget_ends) coordinator.add_note(budget_note(tick));
  }
}

}  // namespace memcoord::cli
