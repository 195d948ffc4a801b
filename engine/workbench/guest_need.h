#pragma once
// What one recorded guest needed, from tick to tick.

#include <optional>

#include "engine/core/snapshot.h"
#include "engine/core/time.h"

namespace memcoord::workbench {

/// One guest's need by the rule of policies/adaptive.lua: the memory that it cannot give up without
/// swapping, its kernel included, and what it has swapped out and not swapped in again. Half of the
/// swapped memory counts as unused after every five minutes without a swap-in. Where a guest frees
/// memory, it frees swapped memory in the same proportion.
///
/// A report and the balloon's size may be some time apart while the balloon moves. The use of a
/// report is then computed with the size that the guest had when it reported, by the guest's own
/// total, and holds until the next report.
class GuestNeed {
 public:
  /// The need at a tick, at most the domain's maximum. `since_last`: the time since the tick
  /// before; its value does not matter at a guest's first tick. A guest without a report needs what
  /// its process holds, at most its size; its size where libvirt reports no rss.
  MemorySize observe(const Domain& domain, Duration since_last);
  /// Whether the guest has reported its free memory since its domain started.
  [[nodiscard]] bool has_reported() const { return report_.has_value(); }
  /// Whether the guest has swapped since its boot, so that it has swap, which shows what it lacks.
  [[nodiscard]] bool has_swap() const {
    return report_ && report_->swap_out.value_or(MemorySize()) > MemorySize();
  }

 private:
  struct Report {
    std::optional<WallTime> stamp;
    std::optional<MemorySize> available;
    MemorySize usable;
    std::optional<MemorySize> swap_in;
    std::optional<MemorySize> swap_out;
    bool operator==(const Report&) const = default;
  };
  [[nodiscard]] MemorySize size_at_report(const Domain& domain) const;
  void take_report(const Domain& domain, const Report& report);
  void take_swapping(const Report& report, MemorySize used_before);

  int id_ = 0;
  std::optional<Report> report_;  ///< the newest
  MemorySize used_;               ///< by that report
  MemorySize swapped_;
  std::optional<MemorySize> actual_;  ///< at the tick before
  /// Of the size, what the guest's kernel does not manage; known once the balloon has been at rest.
  std::optional<MemorySize> reserved_;
  bool swaps_in_ = false;  ///< between the last two reports
};

}  // namespace memcoord::workbench
