#pragma once
// Simple policies for runs on simulated hosts.

#include <memory>

#include "tests/world/fakes.h"

namespace memcoord::test {

/// A proposal of one size for every domain.
inline PolicyAnswer all_at(MemorySize size, const Situation& situation) {
  PolicyAnswer answer;
  for (const Domain& domain : situation.snapshot.domains) {
    answer.proposals.push_back({domain.uuid(), size, "all alike"});
  }
  return answer;
}

/// Proposes one size for every domain at each tick.
inline std::unique_ptr<Policy> set_all(MemorySize size) {
  return std::make_unique<FakePolicy>(
      [size](const Situation& situation) -> Result<PolicyAnswer> {
        return all_at(size, situation);
      },
      "set all");
}

/// Fails at each tick.
inline std::unique_ptr<Policy> broken() {
  return std::make_unique<FakePolicy>(
      [](const Situation&) -> Result<PolicyAnswer> {
        return fail(ErrorCode::policy_failed, "x.lua:1", "is broken");
      },
      "broken");
}

}  // namespace memcoord::test
