#include "engine/core/own_proposals.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "engine/core/guard.h"

namespace memcoord {
namespace {

/// What a balloon keeps when a rebooted guest gets its memory back. A driver that finds an empty
/// balloon as it loads says nothing, and QEMU goes on telling the size from before the reboot.
constexpr MemorySize kLeftInBalloon = MemorySize::from_mib(1);

/// What the policy asks for, by domain. In most ticks nobody looks: it is sorted at the first look.
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
  /// Where the policy wants the domain; where it stands, if it says nothing.
  MemorySize wanted(const Domain& domain) { return find(domain.uuid()).value_or(domain.actual); }

 private:
  std::span<const Proposal> proposals_;
  std::unordered_map<Uuid, MemorySize> targets_;
};

std::optional<Proposal> towards_its_bounds(const Domain& domain, const Standing& standing,
                                           Asked& asked, Units units) {
  const MemorySize most = guard::ceiling_of(domain, standing.history);
  if (domain.actual > most && asked.wanted(domain) > most && !most.is_zero()) {
    return Proposal{domain.uuid(), most, "is over its maximum of " + most.text(units)};
  }
  const MemorySize least = std::min(domain.settings().minimum.value_or(MemorySize()), most);
  if (domain.actual < least && asked.wanted(domain) < least) {
    return Proposal{domain.uuid(), least, "is under its minimum of " + least.text(units)};
  }
  return std::nullopt;
}

/// What the engine takes back in this tick, and why.
struct TakenBack {
  MemorySize amount;
  std::string why;
  std::optional<Rule> rule = {};
};

/// What is committed over capacity, but not touched, is paid back in so many ticks or a few more,
/// by whoever has something to spare.
constexpr std::uint64_t kTicksToPay = 16;

TakenBack taken_back(const Situation& situation, Asked& asked) {
  const Units units = situation.limits.units;
  if (!situation.rescue.is_zero()) {
    return {situation.rescue, "the host needs " + situation.rescue.text(units) + " at once",
            Rule::host_rescue};
  }
  if (situation.owed.is_zero()) return {};
  MemorySize by_policy;
  for (const Domain& domain : situation.snapshot.domains) {
    by_policy += domain.actual - asked.wanted(domain);
  }
  // A policy that gives something back itself knows better where.
  if (!by_policy.is_zero()) return {};
  return {situation.owed / kTicksToPay,
          situation.owed.text(units) + " more is promised than there is"};
}

/// What a domain gives back by a shrink under way, and what it can give on top of that.
struct Gift {
  MemorySize coming;
  MemorySize more;
};

Gift gift_of(const Domain& domain, const Standing& standing) {
  const MemorySize coming = standing.history ? standing.history->coming_back(domain) : MemorySize();
  return {coming, standing.releasable - coming};
}

/// The part of what all can give that is taken, at most all of it.
double part_of_all(MemorySize amount, const Situation& situation) {
  if (amount.is_zero()) return 0;
  MemorySize can_give;
  for (std::size_t i = 0; i < situation.standings.size(); ++i) {
    can_give += gift_of(situation.snapshot.domains[i], situation.standings[i]).more;
  }
  if (can_give <= amount) return 1;
  return static_cast<double>(amount.kib()) / static_cast<double>(can_give.kib());
}

std::optional<Proposal> given_back(const Domain& domain, const Standing& standing, double part,
                                   const TakenBack& taken, Asked& asked) {
  const auto target = asked.find(domain.uuid());
  // Only the host's rescue comes before what the policy asks for.
  if (target && !taken.rule) return std::nullopt;
  const Gift gift = gift_of(domain, standing);
  const MemorySize more = gift.more.scaled(part);
  // A shrink under way goes on.
  const MemorySize give = gift.coming + more;
  // The policy may take more than that.
  if (more.is_zero() || target.value_or(domain.actual) < domain.actual - give) return std::nullopt;
  return Proposal{domain.uuid(), domain.actual - give, taken.why, taken.rule};
}

}  // namespace

std::vector<Proposal> own_proposals(const Situation& situation,
                                    std::span<const Proposal> proposals) {
  Asked asked(proposals);
  const TakenBack taken = taken_back(situation, asked);
  const double part = part_of_all(taken.amount, situation);
  std::vector<Proposal> own;
  for (std::size_t i = 0; i < situation.standings.size(); ++i) {
    const Standing& standing = situation.standings[i];
    if (standing.held) continue;
    const Domain& domain = situation.snapshot.domains[i];
    auto proposal = part > 0 ? given_back(domain, standing, part, taken, asked) : std::nullopt;
    if (!proposal) proposal = towards_its_bounds(domain, standing, asked, situation.limits.units);
    if (proposal) own.push_back(*std::move(proposal));
  }
  return own;
}

std::vector<Proposal> after_reboots(const Situation& situation) {
  std::vector<Proposal> proposals;
  const Snapshot& snapshot = situation.snapshot;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Standing& standing = situation.standings[i];
    const DomainHistory* past = standing.history;
    if (!past || !past->rebooted_at() || !(past->last_move() || past->in_doubt())) continue;
    // The guest's device keeps the old target over a reboot and squeezes the new kernel to it. As
    // long as it has not reported, nothing can be done; once it has, this is asked for until a
    // target has been set, or until the guest has settled with what it has.
    if (past->last_move() && past->last_move()->at >= *past->rebooted_at()) continue;
    if (standing.held || snapshot.taken_at - *past->rebooted_at() >= situation.limits.grace)
      continue;
    const Domain& domain = snapshot.domains[i];
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

}  // namespace memcoord
