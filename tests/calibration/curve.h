#pragma once
// What became of a guest that followed a plan: recorded from a real one, or played by the simulated
// host; and how well the two agree.

#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::calibration {

/// A look at the guest, a second or so after the one before.
struct CurvePoint {
  double seconds = 0;  ///< since its workload started
  MemorySize target;   ///< of its balloon; a new one is set right after the look before
  MemorySize demand;   ///< what its workload wanted to hold
  MemorySize cache;    ///< what it had read from its disk
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
  std::optional<double> killed_at;  ///< seconds; its workload was ended by its OOM killer
};

/// A CSV file, KiB, with the guest itself in comments above it. Errors: not_found, invalid_input
/// with file and line.
Result<Curve> read_curve(const std::filesystem::path& path);
void write_curve(const Curve& curve, std::ostream& out);

/// The same guest, plan and balloon moves on the simulated host.
Curve simulate(const Curve& real, const simulated::Model& model = {});

/// How far two curves of one plan are apart.
struct Agreement {
  // Mean differences, as shares of the guest's maximum.
  double actual = 0;
  double unused = 0;
  double usable = 0;
  /// When each began to swap in earnest, in seconds; none where it did not.
  std::optional<double> real_swaps_at;
  std::optional<double> simulated_swaps_at;
};
Agreement compare(const Curve& real, const Curve& simulated);

}  // namespace memcoord::calibration
