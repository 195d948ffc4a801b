// What the host has promised, and what it has.

#include <algorithm>

#include "engine/core/guard.h"
#include "engine/core/guard_rules.h"

namespace memcoord::guard {
namespace {

MemorySize overhead_of(const Domain& domain, const DomainHistory* history) {
  return history ? history->overhead(domain) : ProcessOverhead::usual(domain);
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
  MemorySize begun;     ///< of that, by domains that have just come or rebooted
  MemorySize coming;    ///< of it, what shrinks under way will give back
  [[nodiscard]] MemorySize all() const { return backed + unbacked; }
};

void commit(Commitments& sum, const Domain& domain, const DomainHistory* history, bool begins) {
  const MemorySize balloon = claim_of(domain, history);
  const MemorySize in_rss = memory_in_rss(domain, balloon);
  const MemorySize rss = rss_of(domain, history);
  const MemorySize unbacked = in_rss + overhead_of(domain, history) - rss;
  sum.backed += rss + (ordinary_memory(domain, balloon) - in_rss);
  sum.unbacked += unbacked;
  if (begins) sum.begun += unbacked;
  if (history) sum.coming += history->coming_back(domain);
}

Commitments commitments(const Snapshot& snapshot, const History& history, Duration grace) {
  Commitments sum;
  std::size_t position = 0;
  for (const Domain& domain : snapshot.domains) {
    const DomainHistory* past = history.find(domain.uuid(), position++);
    const auto began = past ? past->began_at() : std::nullopt;
    commit(sum, domain, past, began && snapshot.taken_at - *began < grace);
  }
  return sum;
}

/// Takes in one bound: so much is there, and so much is taken of it.
void bound(HostBalance& host, MemorySize there, MemorySize taken) {
  host.grantable = std::min(host.grantable, there - taken);
  host.owed = std::max(host.owed, taken - there);
}

/// How many looks ahead. A guest that gives now can give again only after its next report: what is
/// taken has to do until the tick after the next, or longer where ticks come faster than reports.
double looks_ahead(const HostPace& pace) {
  constexpr Duration kBetweenReports = std::chrono::seconds(1);
  constexpr double kLooks = 2;
  if (pace.between >= kBetweenReports || pace.between <= Duration()) return kLooks;
  return kLooks * static_cast<double>(kBetweenReports.count()) /
         static_cast<double>(pace.between.count());
}

MemorySize to_rescue(const Snapshot& snapshot, const Commitments& domains, const HostPace& pace,
                     MemorySize floor) {
  const MemorySize there = obtainable(snapshot.host) + domains.coming;
  // What others have taken once, as a pool of hugepages, does not go on. Under the floor there is
  // no time to see whether it does.
  const MemorySize others = there < floor ? pace.others : std::min(pace.others, pace.others_before);
  const double looks = looks_ahead(pace);
  const MemorySize touched =
      std::max(std::min(pace.domains.scaled(looks), domains.unbacked), domains.begun);
  return floor + touched + others.scaled(looks) - there;
}

}  // namespace

HostBalance balance(const Snapshot& snapshot, const History& history, const Limits& limits) {
  const Commitments domains = commitments(snapshot, history, limits.grace);
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
      std::max(overhead_of(domain, history), ProcessOverhead::usual(domain));
  return std::min(most, *limit - overhead);
}

MemorySize grantable(const Snapshot& snapshot, const History& history, const Limits& limits) {
  return balance(snapshot, history, limits).grantable;
}

}  // namespace memcoord::guard
