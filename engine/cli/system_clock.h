#pragma once
// The machine's clock, whose waits end early when a signal comes in.

#include <thread>

#include "engine/cli/signals.h"
#include "engine/core/time.h"

namespace memcoord::cli {

class SystemClock : public Clock {
 public:
  /// The signals outlive the clock.
  explicit SystemClock(Signals& signals) : signals_(signals) {}
  [[nodiscard]] MonotonicTime now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  [[nodiscard]] WallTime wall_now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
  bool sleep_for(Duration duration) override { return signals_.wait_for(duration); }
  void sleep_through(Duration duration) override { std::this_thread::sleep_for(duration); }

 private:
  Signals& signals_;
};

}  // namespace memcoord::cli
