#pragma once
// A host for measuring the engine: it costs next to nothing itself and says how much it did cost,
// so that what is left is the engine's own.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/hypervisor.h"
#include "engine/core/time.h"

namespace memcoord::bench {

/// Goes on only when someone sleeps: between ticks.
class JumpingClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override;
  bool sleep_for(Duration duration) override;

 private:
  MonotonicTime now_{std::chrono::hours(1)};
};

/// Guests of 2 GiB whose need goes up and down, each in a rhythm of its own, so that at any tick
/// some starve and some waste. Every guest has reported before each look; balloons follow at once.
class BusyHost final : public Hypervisor {
 public:
  BusyHost(const Clock& clock, std::size_t domains);

  [[nodiscard]] std::string description() const override { return "bench:"; }
  Result<Snapshot> sample() override;
  std::vector<Outcome> apply(std::span<const Move> moves) override;
  std::vector<Note> take_notes() override { return {}; }
  void close() override {}

  /// One domain goes, another comes.
  void replace_one();
  /// What the host itself has cost since the last call.
  std::chrono::nanoseconds take_own_time();

 private:
  void add(std::size_t position);
  void live(std::size_t position);

  const Clock& clock_;
  std::vector<Domain> domains_;
  std::map<Uuid, std::size_t> positions_;
  std::uint64_t looks_ = 0;
  std::size_t next_number_ = 0;
  std::size_t next_to_go_ = 0;
  std::chrono::nanoseconds own_time_{};
};

}  // namespace memcoord::bench
