#pragma once
// A guest's reports by its balloon driver: which figures can be true, and the rates that follow
// from two reports in a row.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/snapshot.h"

namespace memcoord {

class History;

/// The growth of a guest's counters between its last two reports, a second: KiB swapped in, KiB
/// swapped out, major faults, minor faults. NaN where the reports do not show it.
using CounterRates = std::array<double, 4>;

/// One guest's reports from observation to observation. A new report differs from the one before in
/// its stamp (GuestStatistics::last_update) or in a figure that both have: libvirt counts stamps in
/// whole seconds, and a guest that is asked reports more often. A figure that only one of them has
/// proves nothing, because memcoord drops figures that cannot be true.
class GuestReports {
 public:
  /// When an observation was made, and what it says of the guest besides its report.
  struct Context {
    MonotonicTime at{};
    MonotonicTime previous{};                    ///< the observation before; `at` for the first one
    WallTime wall_time{};                        ///< of `at`
    bool rebooted = false;                       ///< since the observation before
    std::optional<MonotonicTime> restored_at{};  ///< Domain::restored_at
    std::optional<MonotonicTime> reported_after{};  ///< Domain::reported_after
  };
  /// Records the report that an observation shows. An observation without a report leaves the last
  /// report as it is. Returns whether the guest has surely made the report since the observation
  /// before, that is, whether another one preceded it.
  bool observe(const GuestStatistics& report, const Context& context);

  /// The newest report.
  [[nodiscard]] const GuestStatistics& last() const { return last_; }
  /// The observation that first showed the newest report. The monotonic clock is immune to steps of
  /// the wall clock and to the clocks of remote hosts.
  [[nodiscard]] std::optional<MonotonicTime> first_observed_at() const {
    return first_observed_at_;
  }
  /// A moment that the newest report is surely not older than: the observation before the one that
  /// first showed it, or a later one that only the hypervisor made. None for the first report of
  /// all, which may be of any age.
  [[nodiscard]] std::optional<MonotonicTime> not_before() const { return not_before_; }
  [[nodiscard]] const CounterRates& rates() const { return rates_; }

  [[nodiscard]] bool is_new(const GuestStatistics& report) const {
    return report.last_update && differ(report, last_);
  }
  /// Whether two answers of the hypervisor show two reports.
  [[nodiscard]] static bool differ(const GuestStatistics& one, const GuestStatistics& other);
  /// Whether the guest missed reports between the last one and this new one. `previous` is the
  /// observation before this one.
  [[nodiscard]] bool missed_before(const GuestStatistics& report, MonotonicTime previous) const;
  /// Whether the counters look as if counted from 0 again: none has risen, and one has lost at
  /// least half. That alone proves no reboot: some drivers report rates, and 32-bit counters wrap.
  [[nodiscard]] bool counters_restarted(const GuestStatistics& report) const;
  /// Whether the last report is from before a restore: its counters do not go on in the next one.
  [[nodiscard]] bool precede(std::optional<MonotonicTime> restored_at) const {
    return restored_at && first_observed_at_ && *first_observed_at_ <= *restored_at;
  }

 private:
  struct Counters {
    std::optional<MemorySize> swap_in;
    std::optional<MemorySize> swap_out;
    std::optional<std::uint64_t> major_faults;
    std::optional<std::uint64_t> minor_faults;
  };
  void update_rates(const GuestStatistics& report, const Context& context);
  void note_falls(const GuestStatistics& report, bool rebooted);
  [[nodiscard]] MonotonicTime moment_of(const GuestStatistics& report,
                                        const Context& context) const;

  GuestStatistics last_;
  Counters before_fall_;  ///< those that the last report showed lower, as they were before
  CounterRates rates_ = no_rates();
  std::optional<MonotonicTime> first_observed_at_;
  std::optional<MonotonicTime> not_before_;
  MonotonicTime made_at_{};  ///< the newest report, as closely as memcoord can tell

  static CounterRates no_rates();
};

/// Removes the figures that cannot be true from the snapshot: those over the domain's maximum or
/// over the guest's own total, counters that no guest reaches, counters that have risen faster than
/// any guest can count since the report in `history`, and an rss that no process has. A driver that
/// cannot read a counter reports such figures, and so does a guest that lies. Call it before
/// History::observe(). Returns the removed figures in snapshot order. A second call removes nothing
/// more.
std::vector<DroppedFigure> drop_impossible(Snapshot& snapshot, const History& history);

/// Memory that is plugged into the domain but not online in its guest, by the guest's total. The
/// estimate is low; it is 0 where the kernel may keep the difference for itself. `grown`: what the
/// balloon has given since the guest's report.
MemorySize offline_memory(const Domain& domain, MemorySize grown = {});

}  // namespace memcoord
