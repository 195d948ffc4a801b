#pragma once
// What the operating system asks of a running loop: to end (SIGINT, SIGTERM) or to reload (SIGHUP).

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/core/error.h"
#include "engine/core/time.h"

namespace memcoord::cli {

/// Listens on a thread of its own, so that a wait is cut short at once and a second SIGINT or
/// SIGTERM ends the process (ExitCode::forced) even while a call is stuck. One at a time.
class Signals {
 public:
  /// Blocks the three signals in the calling thread and in those it starts from then on: call it
  /// before any other thread is started. Ignores SIGPIPE, which becomes a failed write. Errors:
  /// internal.
  static Result<std::unique_ptr<Signals>> listen();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] bool stop_requested() const { return stop_; }
  /// Whether a reload was asked for since the last call.
  [[nodiscard]] bool take_reload();
  /// Ends the loop as a signal would.
  void request_stop();
  /// Waits; returns false where it was cut short by a request that has not been taken yet.
  bool wait_for(Duration duration);

  /// While one lives, the first SIGINT or SIGTERM ends the process at once (ExitCode::ok): for
  /// calls that cannot be interrupted and leave nothing to put back, such as opening a connection.
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
  bool signalled_ = false;  // of thread_ alone
  std::atomic<bool> leave_at_once_ = false;
  bool reload_ = false;  // under mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  std::jthread thread_;
};

}  // namespace memcoord::cli
