#pragma once
// Runs a policy in the real coordinator, and so under the real guard, on a host whose guests report
// the figures that a test gives. Policy tests and `memcoord check` use it.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/coordinator.h"
#include "engine/core/hypervisor.h"

namespace memcoord::bindings::testing {

/// A guest as a test describes it. Rates are per second.
struct MockDomain {
  std::string name;
  DomainSettings settings;
  DomainState state = DomainState::running;
  MemorySize actual;
  MemorySize maximum;
  MemorySize unused;
  std::optional<MemorySize> usable;     ///< none: an old guest does not report it
  std::optional<MemorySize> available;  ///< none: as actual
  GuestStatistics guest;                ///< other sizes that it reports
  std::optional<MemorySize> rss;        ///< none: as actual, every page touched
  double swap_in = 0;                   ///< KiB
  double swap_out = 0;                  ///< KiB
  double major_faults = 0;
  double minor_faults = 0;
  NodeSet nodes;  ///< the host's nodes that its memory is bound to; empty: none
  bool deflates_by_itself = false;
  bool free_page_reporting = false;
  bool silent = false;  ///< its guest reports nothing
  bool follows = true;  ///< false: its balloon takes targets and does not move
  /// The test has given it another size since the last tick, and its guest has reported since.
  bool resized = false;
  std::array<double, 4> counted{};  ///< the counters of the four rates, in the order above
};

struct MockWorld {
  Host host;
  std::vector<MockDomain> domains;
  Duration interval = std::chrono::seconds(2);  ///< since the previous tick
  /// UTC of the first tick.
  WallTime time{std::chrono::sys_days{std::chrono::year{2024} / 5 / 17}};

  /// Null if the world has no such domain.
  [[nodiscard]] MockDomain* find(std::string_view name);
};

/// Gives the balloon another size; the guest's use of memory stays the same.
void resize(MockDomain& domain, MemorySize to);

/// Runs ticks of one policy. The caller may change the world between ticks. Guests follow their
/// balloons at once, and their use of memory stays the same.
class PolicyHarness {
 public:
  /// `world` is the world of the first tick.
  PolicyHarness(std::unique_ptr<Policy> policy, const Limits& limits, MockWorld world);
  ~PolicyHarness();
  PolicyHarness(const PolicyHarness&) = delete;
  PolicyHarness& operator=(const PolicyHarness&) = delete;

  [[nodiscard]] MockWorld& world();
  /// One tick of the coordinator. The first one samples the world once more beforehand, so that it
  /// has rates.
  Tick play();
  /// What the policy asked for in the last tick, besides moves: an early tick, guests' reports.
  [[nodiscard]] const PolicyAnswer& answer() const;

 private:
  class FakeHost;
  class RecordingPolicy;
  std::unique_ptr<FakeHost> machine_;
  RecordingPolicy* policy_ = nullptr;  ///< the coordinator's
  std::unique_ptr<Coordinator> coordinator_;
  bool sampled_ = false;
};

}  // namespace memcoord::bindings::testing
