#pragma once
// A simulated guest (kernel, workload, balloon) and the simulated domain that runs it. A pure
// model: state, demand and a time span in, state out. Amounts are KiB in doubles, because memory
// moves at rates.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::simulated {

/// A size in the model's unit, KiB.
inline double kib(MemorySize size) {
  return static_cast<double>(size.kib());
}
/// Rounds down to whole KiB; negative amounts become zero.
inline MemorySize size(double kib) {
  return kib <= 0 ? MemorySize() : MemorySize::from_kib(static_cast<std::uint64_t>(kib));
}

/// A kill belongs to the same episode as the one before it unless the workload has run for so many
/// seconds in between.
inline constexpr double kUndisturbed = 60;

/// Sums over a guest's run.
struct GuestScore {
  double seconds = 0;          ///< run time
  double stalled_seconds = 0;  ///< while its demand did not fit
  double deficit_kib_seconds = 0;
  double need_kib_seconds = 0;   ///< demand and kernel
  double spare_kib_seconds = 0;  ///< actual beyond that need
  double moved_kib = 0;          ///< by the balloon, in both directions
  int oom_kills = 0;  ///< episodes: kills that follow one another count once (kUndisturbed)
};

/// What a guest needs besides its workload's demand, KiB.
double kernel(const Model& model);

/// A guest's state.
struct Guest {
  double actual = 0;
  double target = 0;
  double demand = 0;    ///< what the workload wants to hold
  double resident = 0;  ///< part of the demand that is in memory
  double swapped = 0;   ///< part of the demand that is in swap
  double cache = 0;
  double listed = 0;      ///< free, but on its processors' lists
  double touched = 0;     ///< host memory that backs it
  bool touching = false;  ///< it is taking fresh pages
  double swap_in = 0;     ///< counters, KiB
  double swap_out = 0;
  double major_faults = 0;  ///< counters
  double minor_faults = 0;
  double restart_in = 0;              ///< seconds until a killed workload comes back
  double undisturbed = kUndisturbed;  ///< seconds that its workload has run since it was killed
  bool stalled = false;               ///< its workload's demand does not fit
  GuestScore score;

  /// Its state stays the same while the forces on it do.
  [[nodiscard]] bool is_calm(const Model& model) const;
  /// Demand and kernel, KiB. The next three are its kernel's MemTotal, MemFree and MemAvailable.
  [[nodiscard]] double need(const Model& model) const;
  [[nodiscard]] double total(const Model& model) const;
  [[nodiscard]] double unused(const Model& model) const;
  [[nodiscard]] double usable(const Model& model) const;
};

/// What acts on a guest during a time span.
struct Forces {
  double demand = 0;
  double cache = 0;
  double swap = 0;           ///< its size
  double backed_unused = 0;  ///< of the unused memory
  bool driver = true;
  bool free_page_reporting = false;
  bool paused = false;  ///< the guest's state stands still
  bool operator==(const Forces&) const = default;
};

/// Advances the guest by `seconds`.
void advance(Guest& guest, const Forces& forces, const Model& model, double seconds);

/// A domain under simulation.
struct SimulatedDomain {
  const ScenarioDomain* plan = nullptr;  ///< not owned; outlives the domain
  std::shared_ptr<const DomainIdentity> identity;
  Guest guest;
  Forces forces;  ///< the last ones
  std::size_t demand_cursor = 0;
  std::size_t cache_cursor = 0;
  std::size_t backed_cursor = 0;
  Duration next_report{};
  std::optional<Duration> started;  ///< none: it has been running from the beginning
  GuestStatistics report;           ///< the guest's newest
  GuestStatistics counted;          ///< at that report, as its kernel counts
  bool active = false;
  Duration at{};           ///< the moment of `guest`, which may lag behind the host's
  Duration calm_until{};   ///< until then `guest` stays the same unless its balloon gets a target
  Duration reported_at{};  ///< the newest report's moment
  double rss = 0;          ///< KiB

  /// Starts the guest at its initial size. A guest that starts at 0 has booted before.
  void start(Duration now, const Model& model);
  /// Advances an active domain. `origin`: wall time at the scenario's start.
  void advance_to(Duration until, const Model& model, WallTime origin);
  /// Makes the reports that are due by `until`.
  void report_until(Duration until, const Model& model, WallTime origin);
  /// Makes a report now, for a request; the next one is due a period later, as QEMU does. `guest`
  /// is at that moment.
  void report_now(Duration now, const Model& model, WallTime origin);

 private:
  [[nodiscard]] Duration steady_until();
  [[nodiscard]] Forces forces_at(Duration moment);
  [[nodiscard]] bool is_calm(const Model& model);
  void advance_guest(Duration until, const Model& model);
  [[nodiscard]] Duration reports_every() const;
  Duration pass_reports(Duration until);
  void make_report(Duration moment, const Model& model, WallTime origin);
};

}  // namespace memcoord::simulated
