#pragma once
// Watches a policy's calls from a thread of its own: ends the one that is under way when the
// program is to end, and what no limit ends. docs/decisions/0009-watchdog.md says why and how.

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

/// What the watchdog asks of its surroundings; called in its own thread, but for save_every.
struct WatchdogOptions {
  std::chrono::steady_clock::duration limit = std::chrono::milliseconds(100);  ///< of one call
  std::function<bool()> stop_requested;
  std::function<void(const std::string& message)> say;
  /// The call under way does not end: by Reason::asked a second after the program was to end,
  /// otherwise twenty times its limit after it began. Does not have to return.
  enum class Reason { asked, overrun };
  std::function<void(Reason reason, const std::string& last_state)> give_up;
  /// How often a good tick's state is kept; none where the process is not started again.
  std::optional<std::chrono::steady_clock::duration> save_every = std::chrono::seconds(10);
};

class Watchdog {
 public:
  explicit Watchdog(WatchdogOptions options);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// The same policy, watched; the watchdog outlives it. What a Lua policy keeps is saved.
  std::unique_ptr<Policy> watch(std::unique_ptr<Policy> policy);
  std::unique_ptr<Policy> watch(std::unique_ptr<bindings::LuaPolicy> policy);
  /// Watches work on a policy outside a tick, such as a reload, which may take so long.
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
    bool told = false;
  };

  void begin(const std::string& policy, std::chrono::steady_clock::duration limit);
  void end();
  void save(bindings::LuaPolicy& policy);
  void run();
  void look(Call& call);

  WatchdogOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Call> call_;                                           // under mutex_
  std::optional<std::chrono::steady_clock::time_point> asked_to_end_;  // under mutex_
  std::string last_state_;                                             // under mutex_
  bool over_ = false;                                                  // under mutex_
  std::optional<std::chrono::steady_clock::time_point> saved_at_;      // of the policy's thread
  std::jthread thread_;
};

}  // namespace memcoord::cli
