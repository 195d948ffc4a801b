#pragma once
// The machine's own clocks, read at the program's edge. What decides takes its time from a Clock.

#include <chrono>

#include "engine/core/time.h"

namespace memcoord::cli {

inline WallTime system_wall_time() {
  return std::chrono::floor<WallTime::duration>(std::chrono::system_clock::now());
}
inline MonotonicTime system_monotonic_time() {
  return std::chrono::floor<MonotonicTime::duration>(std::chrono::steady_clock::now());
}

}  // namespace memcoord::cli
