#pragma once
// What the engine itself asks for, under every policy. The guard's rules hold for it all the same.

#include <span>
#include <vector>

#include "engine/core/policy.h"

namespace memcoord {

/// What takes the place of what the policy `asked` for:
///  - while the host needs memory at once (Situation::rescue, the rule `host_rescue`), every domain
///    gives of it in proportion to what it can give;
///  - while more is committed than there is (Situation::owed), and the policy gives nothing back, a
///    little of it is taken in the same way, of domains that the policy asks nothing for;
///  - a domain under its configured minimum goes up to it, and one over its ceiling down to it,
///    unless the policy itself goes there or beyond.
std::vector<Proposal> own_proposals(const Situation& situation, std::span<const Proposal> asked);

/// A rebooted guest gets back what its old target would squeeze out of it, until it has settled.
std::vector<Proposal> after_reboots(const Situation& situation);

/// Puts `own` in the place of what is proposed for the same domains.
void prefer(std::vector<Proposal>& proposals, const std::vector<Proposal>& own);

}  // namespace memcoord
