// What the host has promised, and what it has.

#include <algorithm>

#include "engine/core/guard.h"
#include "engine/core/guard_rules.h"

namespace memcoord::guard {
namespace {

MemorySize overhead_of(const Domain& domain, const DomainHistory* history) {
  return history ? history->overhead(domain) : ProcessOverhead().size(domain);
}

MemorySize rss_of(const Domain& domain, const DomainHistory* history) {
  if (domain.rss) return *domain.rss;
  if (!history || !history->last_rss()) return {};
  // Its balloon may have given memory back since.
  return std::min(*history->last_rss(),
                  memory_in_rss(domain, domain.actual) + history->overhead(domain));
}

/// What all domains together have of the host's ordinary memory.
struct Commitments {
  MemorySize backed;    ///< held by now
  MemorySize unbacked;  ///< promised on top of that
  MemorySize coming;    ///< of it, what shrinks under way will give back
  [[nodiscard]] MemorySize all() const { return backed + unbacked; }
};

/// What a shrink that the guest follows has not given back yet.
MemorySize coming_back(const Domain& domain, const DomainHistory* history) {
  if (!history || history->ignores_shrinks()) return {};
  const auto& move = history->last_move();
  const bool under_way = move && !move->reached && move->target < move->from;
  return under_way ? domain.actual - move->target : MemorySize();
}

void commit(Commitments& sum, const Domain& domain, const DomainHistory* history) {
  const MemorySize balloon = claim_of(domain, history);
  const MemorySize rss = rss_of(domain, history);
  sum.backed += rss + (ordinary_memory(domain, balloon) - memory_in_rss(domain, balloon));
  sum.unbacked += unbacked_of(domain, history);
  sum.coming += coming_back(domain, history);
}

Commitments commitments(const Snapshot& snapshot, const History& history) {
  Commitments sum;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Domain& domain = snapshot.domains[i];
    commit(sum, domain, history.find(domain.uuid(), i));
  }
  return sum;
}

/// Takes in one bound: so much is there, and so much is taken of it.
void bound(HostBalance& host, MemorySize there, MemorySize taken) {
  host.grantable = std::min(host.grantable, there - taken);
  host.owed = std::max(host.owed, taken - there);
}

/// A guest that gives now can give again only after its next report: what is taken has to do until
/// the tick after the next.
constexpr std::uint64_t kLooksAhead = 2;

MemorySize to_rescue(const Snapshot& snapshot, const Commitments& domains, const HostPace& pace,
                     MemorySize floor) {
  const MemorySize soon =
      std::min(pace.domains * kLooksAhead, domains.unbacked) + pace.others * kLooksAhead;
  return floor + soon - (obtainable(snapshot.host) + domains.coming);
}

}  // namespace

HostBalance balance(const Snapshot& snapshot, const History& history, const Limits& limits) {
  const Commitments domains = commitments(snapshot, history);
  const MemorySize total = snapshot.host.total;
  const MemorySize headroom = host_headroom(snapshot.host, limits.headroom);
  const MemorySize floor = limits.host_floor;
  const MemorySize capacity = total.scaled(limits.overcommit);
  // A ratio over 1 adds to what there is, one under 1 takes from it.
  const MemorySize added = capacity - total;
  const MemorySize removed = total - capacity;

  HostBalance host{MemorySize::largest(), MemorySize()};
  bound(host, headroom + added, floor + domains.unbacked + snapshot.host.merged + removed);
  // Where rss and free say more than the host can have, pages are shared that nobody tells of.
  bound(host, capacity, floor + domains.all());
  bound(host, headroom, floor);
  if (limits.host_memory) bound(host, *limits.host_memory, floor + domains.all());
  host.rescue = to_rescue(snapshot, domains, history.host_pace(), floor);
  return host;
}

MemorySize unbacked_of(const Domain& domain, const DomainHistory* history) {
  return memory_in_rss(domain, claim_of(domain, history)) + overhead_of(domain, history) -
         rss_of(domain, history);
}

MemorySize ceiling_of(const Domain& domain, const DomainHistory* history) {
  const MemorySize most =
      std::min(domain.settings().maximum.value_or(domain.maximum), domain.maximum);
  const auto& limit = domain.identity->hard_limit;
  if (!limit) return most;
  // A cgroup kills: QEMU counts as no less than what is usual.
  const MemorySize overhead =
      std::max(overhead_of(domain, history), ProcessOverhead().size(domain));
  return std::min(most, *limit - overhead);
}

MemorySize grantable(const Snapshot& snapshot, const History& history, const Limits& limits) {
  return balance(snapshot, history, limits).grantable;
}

}  // namespace memcoord::guard
