#include "engine/workbench/replay.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "engine/core/evaluation.h"
#include "engine/core/recorded_tick.h"

namespace memcoord::workbench {
namespace {

/// Whether the host limited the recorded grow, because the tick's shrinks had released less memory
/// than decided. A replay cannot compute that.
bool was_cut_by_host(const Decision& then, const Decision& now) {
  return then.proposed == now.proposed && !then.shrinks() && now.grows() &&
         then.target < now.target &&
         std::any_of(then.rules.begin(), then.rules.end(), [](const RuleHit& hit) {
           return hit.rule == Rule::numa_floor || hit.rule == Rule::host_floor ||
                  hit.rule == Rule::share_out;
         });
}

bool alike(const ReplayedDomain& domain) {
  const MemorySize then = domain.then ? domain.then->target : domain.actual;
  const MemorySize now = domain.now ? domain.now->target : domain.actual;
  if (then == now) return true;
  return domain.then && domain.now && was_cut_by_host(*domain.then, *domain.now);
}

using ByUuid = std::unordered_map<Uuid, const Decision*>;

ByUuid index(const std::vector<Decision>& decisions) {
  ByUuid result;
  for (const Decision& decision : decisions) result.emplace(decision.domain, &decision);
  return result;
}

std::optional<Decision> find(const ByUuid& decisions, const Uuid& uuid) {
  const auto found = decisions.find(uuid);
  return found == decisions.end() ? std::nullopt : std::optional(*found->second);
}

/// The recorded tick's domains with their decisions of then and now.
std::vector<ReplayedDomain> side_by_side(const Tick& recorded,
                                         const std::vector<Decision>& decisions) {
  const ByUuid then = index(recorded.decisions);
  const ByUuid now = index(decisions);
  std::vector<ReplayedDomain> domains;
  for (const Domain& domain : recorded.snapshot.domains) {
    ReplayedDomain one{domain.uuid(),
                       domain.name(),
                       domain.actual,
                       find(then, domain.uuid()),
                       find(now, domain.uuid()),
                       false};
    if (!one.then && !one.now) continue;
    one.alike = alike(one);
    domains.push_back(std::move(one));
  }
  return domains;
}

}  // namespace

// Within a run, tick numbers rise and the clock never goes back.
bool Replay::begins_run(const Tick& recorded) const {
  if (runs_ == 0 || recorded.number <= last_number_) return true;
  return !recorded.sample_error && last_at_ && recorded.snapshot.taken_at < *last_at_;
}

Result<ReplayedTick> Replay::take(const Tick& recorded) {
  ReplayedTick result;
  result.begins_run = begins_run(recorded);
  if (result.begins_run) {
    auto policy = make_policy_();
    if (!policy) return fail(policy.error());
    policy_ = *std::move(policy);
    history_ = History();
    last_at_.reset();
    ++runs_;
  }
  last_number_ = recorded.number;
  result.restoring = recorded.restoring;
  result.run = runs_;
  result.number = recorded.number;
  result.wall_time = recorded.snapshot.wall_time;
  if (recorded.sample_error) result.sampled = false;
  if (recorded.sample_error || recorded.restoring) return result;
  const Snapshot snapshot = observe_recorded(recorded, history_);
  const std::vector<Decision> decisions = decide(recorded, snapshot, result.policy_error);
  last_at_ = recorded.snapshot.taken_at;
  result.domains = side_by_side(recorded, decisions);
  record_moves(recorded, history_);
  return result;
}

std::vector<Decision> Replay::decide(const Tick& recorded, const Snapshot& snapshot,
                                     std::optional<Error>& error) {
  const Limits& limits = limits_ ? *limits_ : recorded.limits;
  const auto ask_policy = [&](const Situation& situation) {
    auto answer = policy_->decide(situation);
    if (!answer) error = answer.error();
    return answer ? std::move(answer->proposals) : std::vector<Proposal>();
  };
  const Duration since_last = last_at_ ? snapshot.taken_at - *last_at_ : Duration();
  return evaluate(snapshot, history_, ask_policy, limits, {recorded.number, since_last}).decisions;
}

}  // namespace memcoord::workbench
