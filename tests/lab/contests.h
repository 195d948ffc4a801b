#pragma once
// Contests of real guests: their plans together demand more memory than the guests begin with, and
// in one of them more than there is.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "engine/core/memory_size.h"
#include "tests/lab/guest/load.h"
#include "tests/tool_command_line.h"

namespace memcoord::lab {

inline constexpr MemorySize kContestMaximum = MemorySize::from_mib(768);
inline constexpr MemorySize kContestSwap = MemorySize::from_mib(768);

/// Guests, their plans, and the memory that they share.
struct Contest {
  std::string name;
  std::string summary;
  MemorySize memory;  ///< of the budget, what QEMU's own memory leaves
  MemorySize initial;
  std::map<std::string, std::string> loads;

  /// memcoord's --host-memory. It counts what each QEMU takes for itself: here about 130 MiB.
  [[nodiscard]] MemorySize budget() const {
    return memory + MemorySize::from_mib(130) * loads.size();
  }
};

std::vector<Contest> contests();
std::vector<std::string> contest_names();

/// All guests of a contest boot within this time; their plans begin then.
inline constexpr std::chrono::seconds kUsualBoot{25};
/// Adds --boot SECONDS.
void add_boot_option(cli::Command& tool, std::chrono::seconds& boot);

/// A leg without a duration is one step of work.
double seconds_of(const Leg& leg);
double planned_seconds(const std::string& load);

}  // namespace memcoord::lab
