#pragma once
// One simulated guest: its kernel, its workload, its balloon. A pure model: state, demand and a
// stretch of time in, state out. Amounts are KiB as doubles, since they flow.

#include <cstdint>

#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::simulated {

/// A size as an amount of the model, KiB.
inline double kib(MemorySize size) {
  return static_cast<double>(size.kib());
}

/// What happened to a guest, summed up over the run.
struct GuestScore {
  double seconds = 0;          ///< it ran
  double stalled_seconds = 0;  ///< its demand did not fit
  double deficit_kib_seconds = 0;
  double need_kib_seconds = 0;   ///< demand and its kernel
  double spare_kib_seconds = 0;  ///< actual over that
  double moved_kib = 0;          ///< balloon, both ways
  int oom_kills = 0;
};

/// What a guest must have besides what its workload wants to hold, KiB.
double kernel(const Model& model);

/// A guest's state.
struct Guest {
  double actual = 0;
  double target = 0;
  double demand = 0;    ///< what the workload wants to hold
  double resident = 0;  ///< of it, in memory
  double swapped = 0;   ///< of it, in swap
  double cache = 0;
  double touched = 0;     ///< host memory behind it
  bool touching = false;  ///< it is still at taking fresh pages
  double swap_in = 0;     ///< counters, KiB
  double swap_out = 0;
  double major_faults = 0;  ///< counters
  double minor_faults = 0;
  double restart_in = 0;  ///< seconds until a killed workload comes back
  GuestScore score;

  /// Nothing of it changes while what acts on it stays the same.
  [[nodiscard]] bool is_calm(const Model& model) const;
  /// Demand and its kernel.
  [[nodiscard]] double need(const Model& model) const;
  /// What its kernel sees as total.
  [[nodiscard]] double total(const Model& model) const;
  [[nodiscard]] double unused(const Model& model) const;
  [[nodiscard]] double usable(const Model& model) const;
};

/// What acts on a guest for a stretch of time.
struct Forces {
  double demand = 0;
  double cache = 0;
  double swap = 0;  ///< its size
  bool driver = true;
  bool free_page_reporting = false;
  bool paused = false;  ///< nothing of it goes on
  bool operator==(const Forces&) const = default;
};

/// The guest after `seconds`.
void advance(Guest& guest, const Forces& forces, const Model& model, double seconds);

}  // namespace memcoord::simulated
