#pragma once
// A host for measuring the engine. It measures its own time, so that a benchmark can subtract it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/hypervisor.h"
#include "engine/core/time.h"

namespace memcoord::bench {

/// Guests of 2 GiB whose needs rise and fall out of step, so that in any tick some are short and
/// others have plenty. Every guest reports before each sample; balloons move at once.
class BusyHost final : public Hypervisor {
 public:
  BusyHost(const Clock& clock, std::size_t domains);

  [[nodiscard]] std::string description() const override { return "bench:"; }
  Result<Snapshot> sample() override;
  std::vector<Outcome> apply(std::span<const Move> moves) override;
  std::vector<Note> drain_notes() override { return {}; }
  void close() override {}

  /// Replaces one domain with a new one.
  void replace_one();
  /// The time that the host itself has taken since the last call.
  std::chrono::nanoseconds take_own_time();

 private:
  void add(std::size_t position);
  void live(std::size_t position);

  const Clock& clock_;
  std::vector<Domain> domains_;
  std::map<Uuid, std::size_t> positions_;
  std::uint64_t samples_ = 0;
  std::size_t next_number_ = 0;
  std::size_t next_to_go_ = 0;
  std::chrono::nanoseconds own_time_{};
};

}  // namespace memcoord::bench
