#pragma once
// Explains one domain's part of a tick in words: why it has the memory that it has.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/core/tick.h"

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

/// `before` is the domain one tick earlier, or null. Only it shows whether the guest swaps.
Explanation explain(const Tick& tick, const Domain& domain, const Domain* before);

/// Everything of a tick about one domain. Refers to the tick, and to the domain one tick earlier.
struct DomainTick {
  const Tick& tick;
  const Domain& domain;
  const Domain* before = nullptr;
  const SkippedDomain* skipped = nullptr;
  const Proposal* proposal = nullptr;
  const Decision* decision = nullptr;
  const Outcome* outcome = nullptr;  ///< of the last step of its move
  bool is_short = false;

  [[nodiscard]] bool moves() const { return decision && !decision->holds(); }
  /// A move that libvirt did not carry out, or may not have.
  [[nodiscard]] bool move_failed() const {
    return outcome && outcome->kind != Outcome::Kind::applied &&
           outcome->kind != Outcome::Kind::dry_run;
  }
};

/// One for each domain of the tick, in its order. `earlier` finds a domain one tick earlier, or
/// returns null.
std::vector<DomainTick> domain_ticks(const Tick& tick,
                                     const std::function<const Domain*(const Domain&)>& earlier);

/// Why the domain is short of memory, and why it gets none or not enough: "short by 60 MiB: the
/// host has nothing to grant". Empty if it is not short.
std::string shortage_of(const DomainTick& about);
/// The same for a column of this width: where it is too long, with the amount alone, then without
/// it ("swaps: the host has nothing to grant"). It may still be too long.
std::string shortage_of(const DomainTick& about, std::size_t width);

/// Why an administrator should look at the domain: its shortage, unless its move ends it; "does not
/// answer". Empty if there is no reason.
std::string problem_of(const DomainTick& about);
std::string problem_of(const Tick& tick, const Domain& domain, const Domain* before);

}  // namespace memcoord::observers
