#pragma once
// One evaluation of a tick: from a snapshot to the guard's decisions. The coordinator, replay and
// tests all go through evaluate(). Pure functions of values.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/policy.h"

namespace memcoord {

/// A note for the operator, worth saying once while it stays true; its figures change.
struct Hint {
  std::string topic;
  Note note;
};

/// The result of an evaluation. The situation refers to the snapshot, history and limits.
struct Evaluation {
  Situation situation;
  std::vector<Proposal> proposals;  ///< the policy's, with the engine's own in their place
  std::vector<Decision> decisions;  ///< the guard's, on these proposals
  std::vector<Hint> hints;
  /// Set where the host is under its floor and lacks more than its domains can give.
  std::optional<Hint> beyond_rescue;
};

/// Asks the policy for proposals. None: it wants no move, or has failed.
using AskPolicy = std::function<std::vector<Proposal>(const Situation&)>;

/// Which tick is evaluated.
struct TickTime {
  std::uint64_t number = 1;  ///< counts from 1
  Duration since_last{};     ///< since the last tick; zero at the first
};

/// Evaluates a tick at a snapshot that `history` has observed. The arguments outlive the result.
Evaluation evaluate(const Snapshot& snapshot, const History& history, const AskPolicy& policy,
                    const Limits& limits, const TickTime& time);

// The parts of an evaluation.

/// The engine's own proposals under every policy, which replace what the policy `asked` for:
///  - while the host needs memory at once (Situation::rescue, the rule `host_rescue`), every domain
///    gives a part in proportion to what it can give, and shrinks under way that it needs go on;
///  - while a reserve lacks memory (Situation::reserves_lack, the rule `reserve`), they give in the
///    same way;
///  - while more is committed than the host has (Situation::shortfall) and the policy shrinks no
///    domain, a part of the shortfall is taken in the same way from domains without a proposal;
///  - a domain under its configured minimum grows to it, and one over its ceiling shrinks to it,
///    unless the policy itself goes there or beyond.
/// The guard's rules apply to them too.
std::vector<Proposal> own_proposals(const Situation& situation, std::span<const Proposal> asked);
/// A rebooted guest gets back the memory that its old target would take from it, until it has
/// settled.
std::vector<Proposal> after_reboots(const Situation& situation);
/// Replaces the proposals for the domains of `own` by those of `own`.
void prefer(std::vector<Proposal>& proposals, const std::vector<Proposal>& own);

/// Hints where a domain or the host is short by Headroom::unused although it has far more page
/// cache, which the other metrics count.
std::vector<Hint> page_cache_hints(const Snapshot& snapshot, MemorySize grantable,
                                   const Limits& limits);
/// At the first tick, a hint where the budget (Limits::host_memory) is larger than the host, or
/// smaller than the domains and the host's floor.
std::optional<Hint> budget_hint(const Snapshot& snapshot, const Limits& limits);
/// A hint where the host is under its floor and lacks more than its domains can give.
std::optional<Hint> cannot_be_rescued(const Situation& situation);

}  // namespace memcoord
