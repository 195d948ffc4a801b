#pragma once
// Demand out of recorded ticks: the journal of a host as a trace. docs/simulator.md, "From your own
// host", describes the rules.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/limits.h"
#include "engine/core/tick.h"
#include "engine/hypervisor/simulated/scenario.h"
#include "engine/workbench/trace.h"

namespace memcoord::workbench {

/// What a trace does not say of a domain that was recorded.
struct RecordedDomain {
  MemorySize initial;       ///< the balloon's size when it was first observed
  DomainSettings settings;  ///< the newest
  /// QEMU's own memory: the most that its process held beyond the domain's size while the balloon
  /// was at rest; none: the guest never touched all of its memory.
  std::optional<MemorySize> qemu;
  MemorySize resident;  ///< what its process held then
  /// What its process held at least besides what the guest used, from each moment on, which counts
  /// as the trace's times do. It falls as the guest uses memory that it had touched before.
  std::vector<simulated::Plan::Point> beyond_use;
  bool free_page_reporting = false;
  bool has_reported = false;
};

/// The host that was recorded.
struct RecordedHost {
  MemorySize total;
  /// What everything but the domains' processes used: the largest in each row.
  std::vector<MemorySize> own_use;
  Limits limits;                        ///< of the newest tick
  std::size_t at_once = 0;              ///< the largest number of domains that ran at a time
  std::vector<RecordedDomain> domains;  ///< in the order of Trace::columns

  /// The most that the host used itself, with QEMU's own memory of as many domains as ran at once.
  [[nodiscard]] MemorySize largest_own_use() const;
};

/// Recorded demand.
struct Recording {
  Trace trace;
  RecordedHost host;
  std::vector<std::string> notes;  ///< what the recording lacks, a line each
};

/// QEMU's own memory of a domain whose process does not show it.
inline constexpr MemorySize kUsualQemu = MemorySize::from_mib(30);

/// The rows' distance for recordings of up to ten hours, and for longer ones.
inline constexpr std::chrono::seconds kFineStep{1};
inline constexpr std::chrono::seconds kCoarseStep{10};

/// Turns ticks, in the order in which they were recorded, into demand. A row's value is the largest
/// need in it. A domain is known by its UUID and has its latest name. A domain that does not run
/// has a use of 0.
class DemandRecorder {
 public:
  /// `step`: the rows' distance; none: see kFineStep.
  explicit DemandRecorder(std::optional<std::chrono::seconds> step = {}, TraceBounds bounds = {});
  ~DemandRecorder();
  DemandRecorder(const DemandRecorder&) = delete;
  DemandRecorder& operator=(const DemandRecorder&) = delete;

  /// Errors, without an object: invalid_input for ticks of another host, and for ticks that it has
  /// taken before; limit_exceeded.
  Status take(const Tick& tick);
  /// Errors, without an object: invalid_input for no tick with a sample, for a single row, and if
  /// no domain reported its memory.
  Result<Recording> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace memcoord::workbench
