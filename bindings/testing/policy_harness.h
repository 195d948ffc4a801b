#pragma once
// A small world for a policy to play in: the real coordinator and guard, over guests that are told
// what to report. Policy tests and `memcoord check` run on it.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/coordinator.h"
#include "engine/core/hypervisor.h"

namespace memcoord::bindings::testing {

/// A guest as the author of a test describes it. Rates are a second.
struct StagedDomain {
  std::string name;
  DomainSettings settings;
  DomainState state = DomainState::running;
  MemorySize actual;
  MemorySize maximum;
  MemorySize unused;
  std::optional<MemorySize> usable;       ///< none: a guest too old to report it
  std::optional<MemorySize> available;    ///< none: as actual
  std::optional<MemorySize> disk_caches;  ///< none: not reported
  std::optional<MemorySize> rss;          ///< none: as actual, every page touched
  double swap_in = 0;                     ///< KiB
  double swap_out = 0;                    ///< KiB
  double major_faults = 0;
  double minor_faults = 0;
  NodeSet nodes;  ///< of the host, that its memory is bound to
  bool deflates_by_itself = false;
  bool free_page_reporting = false;
  bool silent = false;  ///< its guest reports nothing
  bool follows = true;  ///< false: takes targets and stays as it is
  /// The author gave it another size since the last tick. Its guest has reported since.
  bool resized = false;
  std::array<double, 4> counted{};  ///< the counters behind the rates, in the order above
};

struct StagedWorld {
  Host host;
  std::vector<StagedDomain> domains;
  Duration interval = std::chrono::seconds(2);  ///< since the tick before
  /// UTC of the first tick.
  WallTime time{std::chrono::sys_days{std::chrono::year{2024} / 5 / 17}};

  /// Null where there is none of that name.
  [[nodiscard]] StagedDomain* find(std::string_view name);
};

/// Gives the balloon another size. The guest goes on using what it used.
void resize(StagedDomain& domain, MemorySize to);

/// Plays ticks to one policy. Between ticks the author may change the world; guests follow their
/// balloons at once, and what they use stays what it was.
class Stage {
 public:
  /// `world` is the first tick's.
  Stage(std::unique_ptr<Policy> policy, const Limits& limits, StagedWorld world);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  [[nodiscard]] StagedWorld& world();
  /// One tick of the engine's own loop.
  Tick play();

 private:
  class Machine;
  class Understudy;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Coordinator> coordinator_;
  bool looked_ = false;
};

}  // namespace memcoord::bindings::testing
