#pragma once
// What a run tells its service manager (systemd, Type=notify): that it is ready, its state in one
// line, reloads, its end, and that its loop is alive.

#include <functional>
#include <optional>
#include <string>

#include "engine/core/error.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"

namespace memcoord::cli {

/// One line of figures about the newest tick: "12 domains, 1 skipped; host 62.7 GiB, 8.2 GiB
/// grantable; policy adaptive". With an error, the error comes first.
std::string service_status(const Tick& tick);

/// Sends a run's state as sd_notify(3) describes it. Without a service manager it sends nothing.
/// Times are those of the loop's clock. Only restarting() may be called from any thread.
class ServiceManager {
 public:
  /// The shortest time between two lines of state.
  static constexpr Duration kStatusEvery = std::chrono::seconds(5);

  /// The shortest time between two signs of life.
  static constexpr Duration kAliveEvery = std::chrono::milliseconds(10);

  struct Options {
    /// Sends variables, a line each ("READY=1"). Unset if no service manager runs the program.
    std::function<Status(const std::string& state)> send = {};
    /// The manager ends a process that is silent for this long.
    std::optional<Duration> watchdog = {};
    /// Logs the first failure to send.
    std::function<void(const std::string& message)> warn = {};
  };
  explicit ServiceManager(Options options) : options_(std::move(options)) {}

  /// The run opens its host, which may take long.
  void connecting(const std::string& uri);
  /// The loop begins and the control socket is served.
  void ready();
  /// Sends a tick's figures if they are new and kStatusEvery has passed.
  void show(const Tick& tick, MonotonicTime now);
  /// The loop is alive. Call it often; it sends four times in the watchdog's time at most.
  void alive(MonotonicTime now);
  /// How long the loop may wait before it calls alive() again; none without a watchdog.
  [[nodiscard]] std::optional<Duration> longest_wait() const;
  /// The process is about to replace itself by a new one, which calls ready().
  void restarting(const std::string& why) const;
  /// The loop has ended. From now on show() does nothing, and alive() asks for more time to end.
  void stopping();

  /// While it lives, the run loads its policy and opens its files again.
  class Reload {
   public:
    Reload(ServiceManager& manager, MonotonicTime now);
    ~Reload();
    Reload(const Reload&) = delete;
    Reload& operator=(const Reload&) = delete;

   private:
    ServiceManager& manager_;
  };

 private:
  void send(const std::string& state);

  Options options_;
  std::string status_;  ///< the last one sent
  std::optional<MonotonicTime> status_at_;
  std::optional<MonotonicTime> alive_at_;
  bool stopping_ = false;
  bool warned_ = false;
};

/// A clock that tells the service manager, while it waits, that the run is alive. The clock and the
/// manager must outlive it.
class SupervisedClock final : public Clock {
 public:
  SupervisedClock(Clock& clock, ServiceManager& manager) : clock_(clock), manager_(manager) {}
  [[nodiscard]] MonotonicTime now() const override { return clock_.now(); }
  [[nodiscard]] WallTime wall_now() const override { return clock_.wall_now(); }
  bool sleep_for(Duration duration) override;
  void sleep_through(Duration duration) override;

 private:
  /// `sleep` returns false where it was cut short; then the rest is left out.
  template <class Sleep>
  bool sleep_in_parts(Duration duration, Sleep sleep);

  Clock& clock_;
  ServiceManager& manager_;
};

}  // namespace memcoord::cli
