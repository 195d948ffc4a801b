#include "engine/workbench/density_hosts.h"

#include <algorithm>

namespace memcoord::workbench {

std::vector<std::vector<std::size_t>> deal(const Trace& trace, std::span<const std::size_t> order,
                                           std::size_t hosts) {
  std::vector<std::vector<std::size_t>> lists(hosts);
  std::vector<MemorySize> provisioned(hosts);
  for (const std::size_t domain : order) {
    const auto least = std::min_element(provisioned.begin(), provisioned.end());
    *least += trace.columns[domain].provisioned;
    lists[static_cast<std::size_t>(least - provisioned.begin())].push_back(domain);
  }
  return lists;
}

DensityOrder together(std::span<const DensityOrder> hosts) {
  DensityOrder all;
  for (const DensityOrder& host : hosts) {
    all.vms += host.vms;
    all.static_sizing += host.static_sizing;
    all.bound += host.bound;
    all.instant += host.instant;
    const Score& score = host.score;
    all.score.domain_seconds += score.domain_seconds;
    all.score.deficit += score.deficit;
    all.score.guest_oom += score.guest_oom;
    all.score.host_oom += score.host_oom;
    all.score.breach_seconds += score.breach_seconds;
    all.score.stalled += score.stalled * score.domain_seconds;
    all.score.overhead += score.overhead * score.domain_seconds;
    all.score.churn += score.churn * score.domain_seconds;
  }
  if (all.score.domain_seconds == 0) return all;
  all.score.stalled /= all.score.domain_seconds;
  all.score.overhead /= all.score.domain_seconds;
  all.score.churn /= all.score.domain_seconds;
  return all;
}

}  // namespace memcoord::workbench
