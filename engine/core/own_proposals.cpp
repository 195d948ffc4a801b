#include "engine/core/own_proposals.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "engine/core/guard.h"

namespace memcoord {
namespace {

using Asked = std::unordered_map<Uuid, MemorySize>;

/// Where the policy wants the domain; where it stands, if it says nothing.
MemorySize wanted(const Domain& domain, const Asked& asked) {
  const auto found = asked.find(domain.uuid());
  return found == asked.end() ? domain.actual : found->second;
}

std::optional<Proposal> towards_its_bounds(const Domain& domain, const Standing& standing,
                                           MemorySize target) {
  const MemorySize most = guard::ceiling_of(domain, standing.history);
  if (domain.actual > most && target > most && !most.is_zero()) {
    return Proposal{domain.uuid(), most, "is over its maximum of " + most.text()};
  }
  const MemorySize least = std::min(domain.settings().minimum.value_or(MemorySize()), most);
  if (domain.actual < least && target < least) {
    return Proposal{domain.uuid(), least, "is under its minimum of " + least.text()};
  }
  return std::nullopt;
}

/// The part of what all can give that the host needs, at most all of it.
double part_to_rescue(const Situation& situation) {
  if (situation.rescue.is_zero()) return 0;
  MemorySize can_give;
  for (const Standing& standing : situation.standings) can_give += standing.releasable;
  if (can_give <= situation.rescue) return 1;
  return static_cast<double>(situation.rescue.kib()) / static_cast<double>(can_give.kib());
}

std::optional<Proposal> to_the_rescue(const Domain& domain, MemorySize give, MemorySize target,
                                      MemorySize missing) {
  // The policy may take more than that.
  if (give.is_zero() || target < domain.actual - give) return std::nullopt;
  return Proposal{domain.uuid(), domain.actual - give,
                  "the host needs " + missing.text() + " at once", Rule::host_rescue};
}

}  // namespace

std::vector<Proposal> own_proposals(const Situation& situation, std::span<const Proposal> asked) {
  Asked targets;
  for (const Proposal& proposal : asked) targets.emplace(proposal.domain, proposal.target);
  const double part = part_to_rescue(situation);
  std::vector<Proposal> own;
  for (std::size_t i = 0; i < situation.standings.size(); ++i) {
    const Standing& standing = situation.standings[i];
    if (standing.held) continue;
    const Domain& domain = situation.snapshot.domains[i];
    const MemorySize target = wanted(domain, targets);
    auto proposal =
        to_the_rescue(domain, standing.releasable.scaled(part), target, situation.rescue);
    if (!proposal) proposal = towards_its_bounds(domain, standing, target);
    if (proposal) own.push_back(*std::move(proposal));
  }
  return own;
}

void prefer(std::vector<Proposal>& proposals, const std::vector<Proposal>& own) {
  if (own.empty()) return;
  std::unordered_set<Uuid> taken;
  for (const Proposal& mine : own) taken.insert(mine.domain);
  std::erase_if(proposals,
                [&](const Proposal& proposal) { return taken.contains(proposal.domain); });
  proposals.insert(proposals.end(), own.begin(), own.end());
}

}  // namespace memcoord
