#pragma once
// What a random guest's workload demands over time.

#include <cstdint>
#include <string_view>

#include "engine/hypervisor/simulated/scenario.h"
#include "tests/workbench/dice.h"

namespace memcoord::testing {

/// Times in tenths of a second, sizes in MiB.
struct DemandRange {
  std::int64_t from = 0;  ///< when the guest starts
  std::int64_t until = 0;
  std::int64_t low = 0;
  std::int64_t high = 0;
};

enum class Habit {
  calm,   ///< stays close to its low end
  walk,   ///< moves up and down in small steps
  rise,   ///< rises evenly, stays, and falls
  jumps,  ///< jumps at random moments to heights that follow a power law
  waves,  ///< swings between its ends
  falls,  ///< begins high and gives everything back
};

/// The word for a habit that a domain's name begins with.
std::string_view name_of(Habit habit);

simulated::Plan random_demand(Dice& dice, Habit habit, const DemandRange& range);

/// A rise that others share: at low until `at`, at high after `takes`, and low again within `falls`
/// after it has stayed there. Times in tenths of a second.
struct Surge {
  std::int64_t at = 0;
  std::int64_t takes = 0;
  std::int64_t stays = 0;
  std::int64_t falls = 0;
};
simulated::Plan surge(const Surge& surge, const DemandRange& range);

/// The point of a plan at a time in tenths of a second, with a size in MiB.
simulated::Plan::Point point(std::int64_t tenths, std::int64_t mib);

}  // namespace memcoord::testing
