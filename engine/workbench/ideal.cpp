#include "engine/workbench/ideal.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace memcoord::workbench {
namespace {

using simulated::Scenario;
using simulated::ScenarioDomain;

using simulated::kib;

/// Sums over the run.
struct Sums {
  double short_seconds = 0;
  double deficit = 0;  ///< KiB-seconds
  double seconds = 0;
};

bool is_active(const ScenarioDomain& domain, Duration at) {
  return at >= domain.start && (!domain.stop || at < *domain.stop);
}

/// The largest needs go short, one after the other, until the rest fits; each of them still gets
/// what is left.
void account(std::vector<double>& needs, double capacity, double seconds, Sums& sums) {
  double sum = 0;
  for (const double need : needs) sum += need;
  sums.seconds += static_cast<double>(needs.size()) * seconds;
  sums.deficit += std::max(0.0, sum - capacity) * seconds;
  if (sum <= capacity) return;
  std::sort(needs.begin(), needs.end(), std::greater<>());
  for (std::size_t i = 0; i < needs.size() && sum > capacity; ++i) {
    sum -= needs[i];
    sums.short_seconds += seconds;
  }
}

}  // namespace

Score clairvoyant_score(const Scenario& scenario, const Limits& limits) {
  constexpr Duration kStep = std::chrono::seconds(1);
  const simulated::Model& model = scenario.model;
  const double kernel = simulated::kernel(model);
  const double left = kib(scenario.host_total) - kib(scenario.host_base) - kib(limits.host_floor);
  std::vector<std::size_t> cursors(scenario.domains.size());
  std::vector<double> needs;
  Sums sums;
  for (Duration at{}; at < scenario.duration; at += kStep) {
    needs.clear();
    double overhead = 0;
    for (std::size_t i = 0; i < scenario.domains.size(); ++i) {
      const ScenarioDomain& domain = scenario.domains[i];
      if (!is_active(domain, at)) continue;
      needs.push_back(std::min(domain.demand.at(at, cursors[i]) + kernel, kib(domain.maximum)));
      overhead += kib(domain.process_overhead.value_or(model.process_overhead));
    }
    const Duration passed = std::min(kStep, scenario.duration - at);
    account(needs, left - overhead, std::chrono::duration<double>(passed).count(), sums);
  }
  Score score;
  score.domain_seconds = sums.seconds;
  if (sums.seconds > 0) score.stalled = sums.short_seconds / sums.seconds;
  score.deficit = sums.deficit / (1024.0 * 1024.0) / 3600.0;
  return score;
}

}  // namespace memcoord::workbench
