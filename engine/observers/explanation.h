#pragma once
// Explains one domain's part of a tick in words: why it has the memory that it has.

#include <string>
#include <vector>

#include "engine/core/tick.h"
#include "engine/observers/shortage.h"

namespace memcoord::observers {

/// From the domain's figures to the outcome of its move. Each text is one clause or sentence.
struct Explanation {
  std::string name;
  std::string state;                 ///< "running, 1 GiB of at most 4 GiB"
  std::string answer;                ///< everything in one sentence
  std::vector<std::string> figures;  ///< what the guest and the host report of it, and their age
  std::string policy;                ///< the proposal, its author and the reason
  std::vector<std::string> guard;  ///< the rules that limited it, with the target before and after
  std::string outcome;             ///< of its move; empty if there was none
  std::string next_move;           ///< when it can be moved again
};

/// Explanation::answer alone: what is decided for the domain and why, in one sentence.
std::string answer_of(const DomainTick& about);

/// `before` is the domain one tick earlier, or null. Only it shows whether the guest swaps.
Explanation explain(const Tick& tick, const Domain& domain, const Domain* before);

}  // namespace memcoord::observers
