#pragma once
// `memcoord check`: loads a policy and runs it in typical situations of a host.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "bindings/lua_policy.h"
#include "bindings/sandbox.h"
#include "engine/core/error.h"
#include "engine/core/screen_text.h"
#include "engine/core/tick.h"

namespace memcoord::bindings::testing {

/// A policy's ticks in one situation.
struct CheckedSituation {
  std::string name;         ///< "one starved"
  std::string description;  ///< one clause about the world
  std::vector<Tick> ticks;

  /// The policy's first error; null if it made none.
  [[nodiscard]] const Error* error() const;
  /// The number of proposals in all ticks, and of those that the guard changed.
  [[nodiscard]] std::size_t proposals() const;
  [[nodiscard]] std::size_t limited() const;
  /// The policy's log lines, without its name in front.
  [[nodiscard]] std::vector<std::string> log() const;
};

struct PolicyCheck {
  PolicyInfo info;
  std::vector<CheckedSituation> situations;
  Headroom headroom = Headroom::larger;  ///< the metric that guard and policy used

  /// Whether the policy made no error in any situation.
  [[nodiscard]] bool passed() const;
};

/// Errors: those of LuaPolicy::load(). Errors of ticks are in the result.
Result<PolicyCheck> check_policy(const std::filesystem::path& path,
                                 const LuaPolicy::Settings& settings = {},
                                 SandboxLimits limits = {});

/// Prints the policy's summary, its parameters, its decisions in each situation, and whether it is
/// sound.
void print_check(const PolicyCheck& check, bool color, TextOut out);

}  // namespace memcoord::bindings::testing
