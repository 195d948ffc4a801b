#include "engine/core/evaluation.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/core/guard.h"

namespace memcoord {
namespace {

/// The balloon of a rebooted guest that gets its memory back keeps this much. A driver that finds
/// an empty balloon as it loads says nothing, and QEMU still reports the size from before the
/// reboot.
constexpr MemorySize kLeftInBalloon = MemorySize::from_mib(1);

/// The policy's proposals by domain. Most ticks need no lookup; the first lookup sorts them.
class Asked {
 public:
  explicit Asked(std::span<const Proposal> proposals) : proposals_(proposals) {}

  std::optional<MemorySize> find(const Uuid& uuid) {
    if (targets_.empty()) {
      for (const Proposal& proposal : proposals_) {
        targets_.emplace(proposal.domain, proposal.target);
      }
    }
    const auto found = targets_.find(uuid);
    return found == targets_.end() ? std::nullopt : std::optional(found->second);
  }
  /// The policy's target; the actual size where it asks for nothing.
  MemorySize wanted(const Domain& domain) { return find(domain.uuid()).value_or(domain.actual); }

 private:
  std::span<const Proposal> proposals_;
  std::unordered_map<Uuid, MemorySize> targets_;
};

std::optional<Proposal> towards_its_bounds(const DomainView& view, Asked& asked, Units units) {
  const Domain& domain = view.domain;
  const MemorySize most = view.ceiling;
  if (domain.actual > most && asked.wanted(domain) > most && !most.is_zero()) {
    return Proposal{domain.uuid(), most, "is over its maximum of " + most.text(units)};
  }
  const MemorySize least = std::min(domain.settings().minimum.value_or(MemorySize()), most);
  if (domain.actual < least && asked.wanted(domain) < least) {
    return Proposal{domain.uuid(), least, "is under its minimum of " + least.text(units)};
  }
  return std::nullopt;
}

/// The amount that the engine takes back in this tick, and the reason.
struct TakenBack {
  MemorySize amount;
  std::string why;
  std::optional<Rule> rule = {};
};

/// The ticks, at least, in which domains that can spare memory cover a shortfall that no guest has
/// touched yet. A tick that follows within a second counts by its part of the second.
constexpr double kShortfallTicks = 16;

/// The part of a tick that counts, where a quantity is meant for each tick.
double part_of_tick(Duration since_last) {
  const double seconds = seconds_of(since_last);
  return seconds > 0 ? std::min(1.0, seconds) : 1.0;
}

/// "web, which starts, needs 1.1 GiB", "3 domains, which start, need 3.2 GiB".
std::string reserve_reason(const Situation& situation) {
  const auto& reserves = situation.snapshot.reserves;
  const std::string reserved = situation.reserved.text(situation.limits.units);
  if (reserves.size() == 1) return reserves.front().name + ", which starts, needs " + reserved;
  return std::to_string(reserves.size()) + " domains, which start, need " + reserved;
}

TakenBack taken_back(const Situation& situation, Asked& asked) {
  const Units units = situation.limits.units;
  const MemorySize at_once = situation.rescue + situation.rescue_under_way;
  if (!at_once.is_zero()) {
    return {std::max(situation.rescue, situation.reserves_lack),
            "the host needs " + at_once.text(units) + " at once", Rule::host_rescue};
  }
  const MemorySize for_starts = situation.reserves_lack + situation.reserves_under_way;
  if (!for_starts.is_zero())
    return {situation.reserves_lack, reserve_reason(situation), Rule::reserve};
  if (situation.shortfall.is_zero()) return {};
  MemorySize by_policy;
  for (const DomainView& view : situation.domains) {
    by_policy += view.domain.actual - asked.wanted(view.domain);
  }
  // A policy that shrinks domains itself chooses them better.
  if (!by_policy.is_zero()) return {};
  return {situation.shortfall.scaled(part_of_tick(situation.since_last) / kShortfallTicks),
          situation.shortfall.text(units) + " more is committed than the host has"};
}

/// What a domain releases by a shrink under way, and what it can give on top of that.
struct Reclaim {
  MemorySize coming;
  MemorySize more;
};

Reclaim reclaim_of(const DomainView& view) {
  const MemorySize coming = view.balloon.coming_back(view.domain);
  return {coming, view.reclaimable - coming};
}

/// The fraction of all reclaimable memory that `amount` needs; 1 at most.
double part_of_all(MemorySize amount, const Situation& situation) {
  if (amount.is_zero()) return 0;
  MemorySize can_give;
  for (const DomainView& view : situation.domains) can_give += reclaim_of(view).more;
  if (can_give <= amount) return 1;
  return static_cast<double>(amount.kib()) / static_cast<double>(can_give.kib());
}

std::optional<Proposal> given_back(const DomainView& view, double part, const TakenBack& taken,
                                   Asked& asked) {
  const Domain& domain = view.domain;
  const auto target = asked.find(domain.uuid());
  // Only the host's rescue and reserves come before what the policy asks for.
  if (target && !taken.rule) return std::nullopt;
  const Reclaim reclaim = reclaim_of(view);
  const MemorySize more = reclaim.more.scaled(part);
  // A shrink under way goes on.
  const MemorySize give = reclaim.coming + more;
  // A shrink under way needs no proposal, unless the policy would turn it round.
  if (more.is_zero() && (reclaim.coming.is_zero() || !target)) return std::nullopt;
  // A policy that takes more than that keeps its proposal.
  if (target.value_or(domain.actual) < domain.actual - give) return std::nullopt;
  return Proposal{domain.uuid(), domain.actual - give, taken.why, taken.rule};
}

// --- hints ---

constexpr const char* kWhatHelps = " (page cache); --headroom larger, the default, counts that";

/// Whether so much more is usable than counts that the operator should know.
bool far_above(MemorySize usable, MemorySize counts, MemorySize floor) {
  return usable >= counts * 2 && usable >= floor * 2;
}

bool is_short_by_unused(const Domain& domain, const Limits& limits) {
  if (!domain.identity->unsuitable.empty() || domain.settings().exclude) return false;
  const auto& unused = domain.guest.unused;
  const auto& usable = domain.guest.usable;
  return unused && usable && *unused < limits.low_domain() &&
         far_above(*usable, *unused, limits.domain_floor);
}

std::string others_text(std::size_t others) {
  if (others == 0) return {};
  return "; " + std::to_string(others) + (others == 1 ? " other domain" : " other domains") +
         " likewise";
}

/// One hint for all domains: the first by name, and how many others.
std::optional<Hint> domains_hint(const Snapshot& snapshot, const Limits& limits) {
  const Domain* first = nullptr;
  std::size_t others = 0;
  for (const Domain& domain : snapshot.domains) {
    if (!is_short_by_unused(domain, limits)) continue;
    if (first == nullptr) {
      first = &domain;
    } else {
      ++others;
    }
  }
  if (first == nullptr) return std::nullopt;
  return Hint{
      "domains: page cache",
      {Note::Severity::info, first->name() + ": counts as short by --headroom unused, with " +
                                 first->guest.unused->text(limits.units) + " unused, though " +
                                 first->guest.usable->text(limits.units) + " are usable" +
                                 kWhatHelps + others_text(others)}};
}

}  // namespace

std::vector<Proposal> own_proposals(const Situation& situation, std::span<const Proposal> asked) {
  Asked targets(asked);
  const TakenBack taken = taken_back(situation, targets);
  const double part = part_of_all(taken.amount, situation);
  std::vector<Proposal> own;
  for (const DomainView& view : situation.domains) {
    if (view.skipped) continue;
    const bool takes = part > 0 || taken.rule;
    auto proposal = takes ? given_back(view, part, taken, targets) : std::nullopt;
    if (!proposal) proposal = towards_its_bounds(view, targets, situation.limits.units);
    if (proposal) own.push_back(*std::move(proposal));
  }
  return own;
}

std::vector<Proposal> after_reboots(const Situation& situation) {
  std::vector<Proposal> proposals;
  for (const DomainView& view : situation.domains) {
    const auto rebooted_at = view.balloon.rebooted_at();
    const auto& last_move = view.balloon.last_move();
    if (!rebooted_at || !(last_move || view.balloon.in_doubt())) continue;
    // The guest's device keeps the old target over a reboot and squeezes the new kernel to it. As
    // long as the guest has not reported, nothing can be done. Once it has, this is asked for until
    // a target has been set, or until the guest has settled with what it has.
    if (last_move && last_move->at >= *rebooted_at) continue;
    const bool settled = situation.snapshot.taken_at - *rebooted_at >= situation.limits.grace;
    if (view.skipped || settled) continue;
    const Domain& domain = view.domain;
    const MemorySize had = std::min(domain.settings().maximum.value_or(domain.maximum),
                                    domain.maximum - kLeftInBalloon);
    if (domain.actual >= had) continue;
    proposals.push_back(
        {domain.uuid(), had, "rebooted: gets its memory back until it has settled"});
  }
  return proposals;
}

void prefer(std::vector<Proposal>& proposals, const std::vector<Proposal>& own) {
  if (own.empty()) return;
  std::unordered_set<Uuid> taken;
  for (const Proposal& mine : own) taken.insert(mine.domain);
  std::erase_if(proposals,
                [&](const Proposal& proposal) { return taken.contains(proposal.domain); });
  proposals.insert(proposals.end(), own.begin(), own.end());
}

std::vector<Hint> page_cache_hints(const Snapshot& snapshot, MemorySize grantable,
                                   const Limits& limits) {
  std::vector<Hint> hints;
  if (limits.headroom != Headroom::unused) return hints;
  if (auto hint = domains_hint(snapshot, limits)) hints.push_back(*std::move(hint));
  const Host& host = snapshot.host;
  if (grantable.is_zero() && host.available &&
      far_above(*host.available, host.free, limits.host_floor)) {
    hints.push_back({"host: page cache",
                     {Note::Severity::info,
                      "host: has nothing to give by --headroom unused, with " +
                          host.free.text(limits.units) + " free, though " +
                          host.available->text(limits.units) + " are available" + kWhatHelps}});
  }
  return hints;
}

std::optional<Hint> budget_hint(const Snapshot& snapshot, const Limits& limits) {
  if (!limits.host_memory) return std::nullopt;
  const Units units = limits.units;
  const MemorySize budget = *limits.host_memory;
  const MemorySize total = snapshot.host.total;
  const MemorySize capacity = total.scaled(std::max(limits.overcommit, 1.0));
  const auto hint = [](const std::string& text) {
    return Hint{"host: budget", {Note::Severity::warning, "--host-memory " + text}};
  };
  if (budget > capacity) {
    const int digits = digits_to_tell_apart(budget, total, units);
    return hint(budget.text(units, digits) + " is more than the " + total.text(units, digits) +
                " of the host, so it limits nothing");
  }
  MemorySize domains;
  for (const Domain& domain : snapshot.domains) domains += domain.actual;
  if (domains + limits.host_floor <= budget) return std::nullopt;
  return hint(budget.text(units) + " is less than the domains have (" + domains.text(units) +
              ") and the host's floor (" + limits.host_floor.text(units) +
              "); memcoord shrinks domains to fit");
}

std::optional<Hint> cannot_be_rescued(const Situation& situation) {
  const MemorySize there = obtainable(situation.snapshot.host);
  const MemorySize floor = situation.limits.host_floor;
  MemorySize can_give;
  for (const DomainView& view : situation.domains) can_give += view.reclaimable;
  if (there >= floor || situation.rescue <= can_give) return std::nullopt;
  return Hint{"host: under its floor",
              {Note::Severity::warning,
               "host: has " + there.text() + " available, under its floor of " + floor.text() +
                   ", and its domains can give no more than " + can_give.text() +
                   "; stop or migrate a guest, or free memory that the host itself uses"}};
}

Evaluation evaluate(const Snapshot& snapshot, const History& history, const AskPolicy& policy,
                    const Limits& limits, const TickTime& time) {
  Evaluation result{guard::assess(snapshot, history, limits), {}, {}, {}, {}};
  Situation& situation = result.situation;
  situation.tick = time.number;
  situation.since_last = time.since_last;
  result.proposals = policy(situation);
  prefer(result.proposals, own_proposals(situation, result.proposals));
  prefer(result.proposals, after_reboots(situation));
  result.decisions = guard::review(situation, result.proposals);
  result.hints = page_cache_hints(snapshot, situation.grantable, limits);
  const bool first = time.since_last == Duration();
  if (auto hint = first ? budget_hint(snapshot, limits) : std::nullopt) {
    result.hints.push_back(*std::move(hint));
  }
  result.beyond_rescue = cannot_be_rescued(situation);
  return result;
}

}  // namespace memcoord
