#include "tests/world/fakes.h"

#include <algorithm>

#include "tests/world/world.h"

namespace memcoord::test {

std::vector<Outcome> all_applied(std::span<const Move> moves) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(moves.size());
  for (const Move& move : moves) {
    outcomes.push_back({move.domain, move.from, move.to, Outcome::Kind::applied, {}});
  }
  return outcomes;
}

Result<Snapshot> FakeHypervisor::sample() {
  ++samples;
  if (down) return fail(*down);
  Snapshot snapshot = snapshots_.front();
  if (snapshots_.size() > 1) snapshots_.erase(snapshots_.begin());
  for (Domain& domain : snapshot.domains) {
    const auto found = moved_.find(domain.uuid());
    if (found == moved_.end()) continue;
    snapshot.host.free = snapshot.host.free + domain.actual - found->second;
    domain.actual = found->second;
    domain.rss = found->second;
  }
  return snapshot;
}

void FakeHypervisor::refresh(std::span<const Uuid> domains, Duration waits_at_most) {
  refreshed.emplace_back(domains.begin(), domains.end());
  patience = waits_at_most;
}

std::vector<Outcome> FakeHypervisor::apply(std::span<const Move> wanted) {
  std::vector<Outcome> results;
  for (const Move& move : wanted) {
    const auto found = outcomes.find(move.domain);
    const auto kind = found == outcomes.end() ? Outcome::Kind::applied : found->second;
    results.push_back({move.domain, move.from, move.to, kind, std::nullopt});
    moves.push_back(move);
    const bool ignores = std::find(ignoring.begin(), ignoring.end(), move.domain) != ignoring.end();
    if (kind == Outcome::Kind::applied && !ignores) moved_[move.domain] = move.to;
  }
  return results;
}

std::unique_ptr<Policy> asks(std::vector<std::pair<std::string, MemorySize>> targets,
                             std::string name) {
  return std::make_unique<FakePolicy>(
      [targets = std::move(targets)](const Situation&) -> Result<PolicyAnswer> {
        PolicyAnswer answer;
        for (const auto& [who, target] : targets)
          answer.proposals.push_back({id(who), target, "why"});
        return answer;
      },
      std::move(name));
}

}  // namespace memcoord::test
