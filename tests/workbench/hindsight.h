#pragma once
// Judges policies over many scenarios: the distribution of their figures, and where another policy
// was clearly better in hindsight.

#include <cstddef>
#include <string>
#include <vector>

#include "engine/workbench/comparison.h"

namespace memcoord::testing {

/// A policy's figures over all scenarios. Shares are numbers from 0 to 1.
struct PolicySummary {
  std::string name;
  double mean = 0;  ///< of the stalled shares, each scenario counts the same
  double median = 0;
  double high = 0;         ///< 99 % of the scenarios stalled at most this much
  double mean_served = 0;  ///< the mean where the clairvoyant bound is 0
  int guest_kills = 0;
  int host_kills = 0;
  double breach_seconds = 0;     ///< the host's time under its floor
  double moved = 0;              ///< by balloons, GiB
  std::size_t behind = 0;        ///< scenarios in which it lost (is_loss())
  std::size_t behind_kills = 0;  ///< those among them in which the host ran out of memory
  std::size_t futile = 0;  ///< scenarios in which it moved over five times as much as the policy
                           ///< next to it, and another policy stalled no more
};

/// Where the best other policy was clearly better.
struct Loss {
  std::size_t scenario = 0;  ///< its place
  std::size_t policy = 0;    ///< its row
  std::size_t better = 0;    ///< the other's row
  double by = 0;             ///< how much more it stalled, as a share of the domain-time
  bool host_lost = false;    ///< its host ran out of memory, and the other's did not
};

/// Whether a policy was clearly behind another: the host ran out of memory and did not with the
/// other; or, if both hosts held or both did not, it stalled over 0.5 % of the domain-time more
/// than the other, and over a fifth more.
bool is_loss(const workbench::Score& score, const workbench::Score& other);

struct Hindsight {
  std::vector<PolicySummary> policies;  ///< the rows of the comparison, without the bound
  std::vector<Loss> losses;             ///< the worst first
  std::size_t served = 0;               ///< scenarios whose clairvoyant bound is 0
  double bound = 0;                     ///< the bound's mean
  /// Runs that stalled less than the clairvoyant bound. There should be none.
  std::vector<Loss> passed;
};

/// A policy without a score in a scenario is left out there.
Hindsight judge(const workbench::Comparison& comparison);

}  // namespace memcoord::testing
