#pragma once
// Looks a policy over before it touches a guest: loads it and plays it a handful of situations.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "bindings/lua_policy.h"
#include "bindings/sandbox.h"
#include "engine/core/error.h"
#include "engine/core/tick.h"

namespace memcoord::bindings::testing {

/// One situation, as it went: several ticks in a row, the guests following their balloons.
struct CheckedSituation {
  std::string name;  ///< "one starved"
  std::string what;  ///< one clause about the world
  std::vector<Tick> ticks;

  /// The first error of the policy's own; null where there was none.
  [[nodiscard]] const Error* error() const;
  /// How many proposals it made in all ticks, and how many of them the guard changed.
  [[nodiscard]] std::size_t proposals() const;
  [[nodiscard]] std::size_t held_back() const;
  /// What it logged, without its name in front.
  [[nodiscard]] std::vector<std::string> log() const;
};

struct PolicyCheck {
  PolicyInfo info;
  std::vector<CheckedSituation> situations;
  Headroom headroom = Headroom::larger;  ///< what the guard and the policy went by

  /// No situation ended in an error.
  [[nodiscard]] bool passed() const;
};

/// Errors: those of LuaPolicy::load(). Errors of single ticks are in the result.
Result<PolicyCheck> check_policy(const std::filesystem::path& path,
                                 const LuaPolicy::Settings& settings = {},
                                 SandboxLimits limits = {});

}  // namespace memcoord::bindings::testing
