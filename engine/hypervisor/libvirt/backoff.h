#pragma once
// When to try again after a connection was lost or refused.

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

namespace memcoord::libvirt {

/// Pauses that double from the shortest to the longest, each drawn out by up to a quarter so that
/// many clients do not come back at once.
class Backoff {
 public:
  using Pause = std::chrono::steady_clock::duration;
  /// `jitter` returns a number within 0..1.
  Backoff(Pause shortest, Pause longest, std::function<double()> jitter)
      : shortest_(shortest), longest_(longest), jitter_(std::move(jitter)), next_(shortest) {}

  /// The pause before the next try.
  Pause next() {
    const Pause pause = next_;
    next_ = std::min(longest_, next_ * 2);
    const double drawn_out = static_cast<double>(pause.count()) * 0.25 * jitter_();
    return pause + Pause(static_cast<Pause::rep>(drawn_out));
  }
  void reset() { next_ = shortest_; }

 private:
  Pause shortest_;
  Pause longest_;
  std::function<double()> jitter_;
  Pause next_;
};

}  // namespace memcoord::libvirt
