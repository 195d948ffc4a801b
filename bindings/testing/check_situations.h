#pragma once
// The situations that `memcoord check` plays to a policy.

#include <functional>
#include <string>
#include <vector>

#include "bindings/testing/stage.h"

namespace memcoord::bindings::testing {

struct CheckSituation {
  std::string name;
  std::string what;
  StagedWorld world;
  int ticks = 3;
  /// What becomes of the world before a tick from the second on; may be empty.
  std::function<void(StagedWorld&, int tick)> then;
};

/// From an empty host to a hundred domains: what every policy meets sooner or later.
std::vector<CheckSituation> check_situations();

}  // namespace memcoord::bindings::testing
