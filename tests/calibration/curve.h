#pragma once
// The memory of a guest over time under a plan, recorded from a real guest or from the simulated
// host, and how well two such curves agree.

#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::calibration {

/// One sample of the guest, about a second after the previous sample.
struct CurvePoint {
  double seconds = 0;  ///< since its workload started
  MemorySize target;   ///< of its balloon, set right after the sample before
  MemorySize demand;   ///< what its workload needs
  MemorySize cache;    ///< what it has read from its disk
  MemorySize actual;
  MemorySize unused;
  MemorySize usable;
  MemorySize swapped_out;  ///< since its start
};

struct Curve {
  std::string name;
  MemorySize maximum;
  MemorySize initial;
  MemorySize swap;
  std::vector<CurvePoint> points;
  std::optional<double> killed_at;  ///< seconds; when its OOM killer ended the workload
};

/// Reads a CSV file in KiB, with the guest's sizes in comments above it. Errors: not_found;
/// invalid_input with file and line.
Result<Curve> read_curve(const std::filesystem::path& path);
void write_curve(const Curve& curve, std::ostream& out);

/// Runs the same guest, plan and balloon moves on the simulated host.
Curve simulate(const Curve& real, const simulated::Model& model = {});

/// The differences between two curves of one plan.
struct Agreement {
  // Mean differences, as shares of the guest's maximum.
  double actual = 0;
  double unused = 0;
  double usable = 0;
  /// When each began to swap a considerable amount, in seconds; none if it did not swap.
  std::optional<double> real_swaps_at;
  std::optional<double> simulated_swaps_at;
};
Agreement compare(const Curve& real, const Curve& simulated);

}  // namespace memcoord::calibration
