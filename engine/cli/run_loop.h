#pragma once
// When a run ticks and when it ends: signals, the system's clock, and the loop over the
// coordinator's ticks.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "engine/cli/system_time.h"
#include "engine/core/coordinator.h"
#include "engine/core/error.h"
#include "engine/core/time.h"

namespace memcoord::cli {

/// Requests from the operating system: SIGINT and SIGTERM end the run, SIGHUP reloads the policy.
/// A thread of its own waits for them, so that a request cuts a wait short and a second SIGINT or
/// SIGTERM ends the process (ExitCode::forced) even while a call hangs. Create one at a time.
class Signals {
 public:
  /// Blocks the three signals in the calling thread and in the threads it starts later: call it
  /// before other threads start. Ignores SIGPIPE, so that it becomes a failed write. Errors:
  /// internal.
  static Result<std::unique_ptr<Signals>> listen();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] bool stop_requested() const { return stop_; }
  /// Whether a SIGHUP has come since the last call.
  [[nodiscard]] bool consume_reload();
  /// Ends the run as a signal would.
  void request_stop();
  /// Cuts a wait short: the run has a request to handle. From any thread.
  void wake();
  /// Waits; returns false if a request cut the wait short.
  bool wait_for(Duration duration);

  /// While it lives, the first SIGINT or SIGTERM ends the process at once (ExitCode::ok). For calls
  /// that cannot be interrupted and leave nothing to restore, such as opening a connection.
  class LeaveAtOnce {
   public:
    explicit LeaveAtOnce(Signals& signals) : signals_(signals) { signals_.leave_at_once_ = true; }
    ~LeaveAtOnce() { signals_.leave_at_once_ = false; }
    LeaveAtOnce(const LeaveAtOnce&) = delete;
    LeaveAtOnce& operator=(const LeaveAtOnce&) = delete;

   private:
    Signals& signals_;
  };

 private:
  Signals(int signal_fd, int wake_fd);
  void run();
  void handle(int signal);

  int signal_fd_;
  int wake_fd_;
  std::atomic<bool> stop_ = false;
  bool signalled_ = false;  // thread_ only
  std::atomic<bool> leave_at_once_ = false;
  bool reload_ = false;  // under mutex_
  bool woken_ = false;   // under mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  std::jthread thread_;
};

/// The system's clock. A signal cuts its sleep short.
class SystemClock : public Clock {
 public:
  /// The signals must outlive the clock.
  explicit SystemClock(Signals& signals) : signals_(signals) {}
  [[nodiscard]] MonotonicTime now() const override { return system_monotonic_time(); }
  [[nodiscard]] WallTime wall_now() const override { return system_wall_time(); }
  bool sleep_for(Duration duration) override { return signals_.wait_for(duration); }
  void sleep_through(Duration duration) override { std::this_thread::sleep_for(duration); }

 private:
  Signals& signals_;
};

struct LoopOptions {
  Duration interval = kDefaultInterval;
  Duration min_interval = kDefaultMinInterval;  ///< between ticks, early ones included
  std::optional<std::uint64_t> ticks = {};      ///< the loop ends after so many
  bool exit_when_idle = false;  ///< the loop ends after a tick without active domains
};

/// The loop's callbacks.
struct LoopHooks {
  std::function<bool()> stop_requested;
  std::function<void()> handle_requests;   ///< makes the reloads and changes requested meanwhile
  std::function<bool()> over;              ///< whether the scenario has ended
  std::function<bool(const Tick&)> idle;   ///< whether the tick has no active domains
  std::function<void(const Tick&)> after;  ///< called after each tick
  std::function<void(std::uint64_t)> skipped;  ///< a tick overran, and so many ticks are skipped
  std::function<void()> early = [] {};         ///< the next tick comes early
};

enum class LoopEnd { ticks_done, idle, over, stopped };
std::string_view to_text(LoopEnd end);

/// Runs ticks until something ends the loop. TickRhythm says when each is due.
LoopEnd run_loop(Coordinator& coordinator, Clock& clock, const LoopOptions& options,
                 const LoopHooks& hooks);

}  // namespace memcoord::cli
