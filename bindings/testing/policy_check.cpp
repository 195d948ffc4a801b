#include "bindings/testing/policy_check.h"

#include <algorithm>
#include <utility>

#include "bindings/testing/check_situations.h"

namespace memcoord::bindings::testing {

const Error* CheckedSituation::error() const {
  for (const Tick& tick : ticks) {
    if (tick.policy_error) return &*tick.policy_error;
  }
  return nullptr;
}

std::size_t CheckedSituation::proposals() const {
  std::size_t count = 0;
  for (const Tick& tick : ticks) count += tick.proposals.size();
  return count;
}

std::size_t CheckedSituation::held_back() const {
  std::size_t count = 0;
  for (const Tick& tick : ticks) {
    for (const Decision& decision : tick.decisions) count += decision.rules.empty() ? 0 : 1;
  }
  return count;
}

std::vector<std::string> CheckedSituation::log() const {
  std::vector<std::string> lines;
  for (const Tick& tick : ticks) {
    const std::string prefix = tick.policy + ": ";
    for (const Note& note : tick.notes) {
      if (note.text.starts_with(prefix)) lines.push_back(note.text.substr(prefix.size()));
    }
  }
  return lines;
}

bool PolicyCheck::passed() const {
  return std::all_of(situations.begin(), situations.end(),
                     [](const CheckedSituation& one) { return one.error() == nullptr; });
}

Result<PolicyCheck> check_policy(const std::filesystem::path& path,
                                 const LuaPolicy::Settings& settings, SandboxLimits limits) {
  PolicyCheck check;
  const Limits guard_limits;
  check.headroom = guard_limits.headroom;
  for (CheckSituation& situation : check_situations()) {
    // Each situation begins anew, so that none depends on what the policy kept from another.
    auto policy = LuaPolicy::load(path, settings, limits);
    if (!policy) return fail(policy.error());
    check.info = (*policy)->info();
    Stage stage(std::move(*policy), guard_limits, std::move(situation.world));
    CheckedSituation checked{situation.name, situation.what, {}};
    for (int tick = 1; tick <= situation.ticks; ++tick) {
      if (tick > 1 && situation.then) situation.then(stage.world(), tick);
      checked.ticks.push_back(stage.play());
    }
    check.situations.push_back(std::move(checked));
  }
  return check;
}

}  // namespace memcoord::bindings::testing
