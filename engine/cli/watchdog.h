#pragma once
// Watches a policy's calls, and restarts the process when a call never ends.
// docs/decisions/0009-watchdog.md describes the design.

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "bindings/lua_policy.h"
#include "engine/core/policy.h"

namespace memcoord::cli {

/// The watchdog's settings and callbacks. It calls them in its own thread.
struct WatchdogOptions {
  std::chrono::steady_clock::duration limit = std::chrono::milliseconds(100);  ///< of one call
  std::function<bool()> stop_requested;
  std::function<void(const std::string& message)> log;
  /// Handles a call that does not end: `asked`, a second after the program was asked to end;
  /// `overrun`, after twenty times the call's limit. It need not return.
  enum class Reason { asked, overrun };
  std::function<void(Reason reason, const std::string& last_state)> give_up;
  /// How often to save the policy's state after a good tick; unset if the process never restarts.
  std::optional<std::chrono::steady_clock::duration> save_every = std::chrono::seconds(10);
};

/// A thread that interrupts a policy's call when the program ends, or when the call overruns.
class Watchdog {
 public:
  explicit Watchdog(WatchdogOptions options);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// The same policy, watched. The watchdog must outlive it. It saves the state of a Lua policy.
  std::unique_ptr<Policy> watch(std::unique_ptr<Policy> policy);
  std::unique_ptr<Policy> watch(std::unique_ptr<bindings::LuaPolicy> policy);
  /// Watches work outside a tick, such as a reload, under a limit of its own.
  template <class Work>
  auto during(const std::string& policy, std::chrono::steady_clock::duration limit, Work work) {
    begin(policy, limit);
    auto result = work();
    end();
    return result;
  }

 private:
  class Watched;
  struct Call {
    std::string policy;
    pthread_t thread{};
    std::chrono::steady_clock::time_point since;
    std::chrono::steady_clock::duration limit{};
    bool reported = false;
  };

  void begin(const std::string& policy, std::chrono::steady_clock::duration limit);
  void end();
  void save(bindings::LuaPolicy& policy);
  void run();
  void check(Call& call);

  WatchdogOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Call> call_;                                           // under mutex_
  std::optional<std::chrono::steady_clock::time_point> asked_to_end_;  // under mutex_
  std::string last_state_;                                             // under mutex_
  bool over_ = false;                                                  // under mutex_
  std::optional<std::chrono::steady_clock::time_point> saved_at_;      // the policy's thread only
  std::jthread thread_;
};

/// Replaces the process by a new run of the same command line, which gets `state` from
/// take_handed_over(). Returns if that fails, or less than ten minutes after the last such restart:
/// then the service manager decides when to start memcoord again.
void start_again(const std::string& state);

/// Stores `state` for take_handed_over() in this process or the next one. Returns false if the
/// system has no memory for it.
bool hand_over(const std::string& state);
/// The state that the previous process handed over; empty from the second call on.
std::string take_handed_over();
/// Whether start_again() may restart at `now`. The environment has the time of the last restart.
bool may_start_again(std::chrono::steady_clock::time_point now);

}  // namespace memcoord::cli
