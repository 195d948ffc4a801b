#include "engine/workbench/recorded_scenario.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <utility>

#include "engine/workbench/clairvoyant.h"

namespace memcoord::workbench {
namespace {

using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;

/// Steps over the rows; rows that change nothing are left out. What a tick observed happened since
/// the tick before: each step lies half way between two rows.
Plan row_steps(const std::vector<std::chrono::seconds>& times,
               const std::vector<MemorySize>& values, MemorySize less) {
  std::vector<Plan::Point> points;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const MemorySize size = values[i] - less;
    if (!points.empty() && points.back().size == size) continue;
    const Duration at = times[i] - times.front();
    const Duration half = i == 0 ? Duration() : Duration(times[i] - times[i - 1]) / 2;
    points.push_back({at - half, size});
  }
  return {std::move(points), Plan::Shape::step};
}

/// What a simulated guest counts as used besides its workload's memory.
MemorySize kernel_part(const simulated::Model& model) {
  return model.kernel_reserved + model.kernel_used + model.low_watermark;
}

/// What a process held besides QEMU's own memory and what its guest used, over the scenario's time.
Plan backed_unused(const RecordedDomain& recorded, MemorySize qemu, std::chrono::seconds begin) {
  std::vector<Plan::Point> points = recorded.beyond_use;
  for (Plan::Point& point : points) point = {point.at - begin, point.size - qemu};
  return {std::move(points), Plan::Shape::step};
}

ScenarioDomain recorded_domain(const Trace& trace, const TraceColumn& column,
                               const RecordedDomain& recorded, const Scenario& scenario) {
  ScenarioDomain domain;
  domain.name = column.name;
  domain.maximum = column.provisioned;
  domain.initial = std::min(recorded.initial, column.provisioned);
  domain.settings = recorded.settings;
  domain.swap = column.provisioned;
  domain.free_page_reporting = recorded.free_page_reporting;
  domain.process_overhead = recorded.qemu.value_or(kUsualQemu);
  domain.backed = recorded.resident - *domain.process_overhead;
  domain.backed_unused = backed_unused(recorded, *domain.process_overhead, trace.times.front());
  domain.demand = row_steps(trace.times, column.used, kernel_part(scenario.model));
  const auto is_running = [](MemorySize used) { return !used.is_zero(); };
  const auto& used = column.used;
  const auto first = std::find_if(used.begin(), used.end(), is_running);
  if (first != used.end()) {
    domain.start = trace.times[static_cast<std::size_t>(first - used.begin())] - trace.times[0];
  }
  const auto behind = std::find_if(used.rbegin(), used.rend(), is_running).base();
  if (behind != used.end()) {
    domain.stop = trace.times[static_cast<std::size_t>(behind - used.begin())] - trace.times[0];
  }
  return domain;
}

/// The time for which copy `n` of a trace is ahead of it.
std::chrono::seconds shift_of(std::size_t n, std::chrono::seconds length) {
  constexpr std::chrono::seconds kDay = std::chrono::hours(24);
  constexpr std::chrono::seconds kMinutes = std::chrono::minutes(7);
  const auto copy = static_cast<std::int64_t>(n);
  const std::int64_t days = length / kDay;
  return (days >= 2 ? copy % days * kDay : std::chrono::seconds(0)) + copy * kMinutes;
}

/// The values at each row's time plus the shift. The trace goes round.
std::vector<MemorySize> shifted(const std::vector<MemorySize>& used,
                                const std::vector<std::chrono::seconds>& times,
                                std::chrono::seconds shift, std::chrono::seconds length) {
  std::vector<MemorySize> result;
  result.reserve(used.size());
  for (const std::chrono::seconds time : times) {
    const std::chrono::seconds at = times.front() + (time - times.front() + shift) % length;
    const auto behind = std::upper_bound(times.begin(), times.end(), at);
    result.push_back(used[static_cast<std::size_t>(behind - times.begin()) - 1]);
  }
  return result;
}

/// What all domains need together, on average over time, in KiB.
double mean_need(const Trace& trace, const std::vector<std::chrono::seconds>& holds,
                 std::chrono::seconds length) {
  double total = 0;
  for (const TraceColumn& column : trace.columns) {
    for (std::size_t i = 0; i < holds.size(); ++i) {
      total += simulated::kib(column.used[i] - column.kernel + kKernelNeed) *
               static_cast<double>(holds[i].count());
    }
  }
  return total / static_cast<double>(length.count());
}

}  // namespace

Scenario recorded_scenario(const Trace& trace, const RecordedHost& host) {
  Scenario scenario;
  scenario.name = "recorded";
  scenario.summary = "the demand of a recorded host";
  scenario.host_base = MemorySize();
  const auto& budget = host.limits.host_memory;
  scenario.host_total = budget ? std::min(*budget, host.total) : host.total;
  if (!budget) scenario.host_use = row_steps(trace.times, host.own_use, MemorySize());
  const auto holds = holds_of(trace.times);
  scenario.duration = std::accumulate(holds.begin(), holds.end(), std::chrono::seconds(0));
  for (std::size_t i = 0; i < trace.columns.size(); ++i) {
    scenario.domains.push_back(recorded_domain(trace, trace.columns[i], host.domains[i], scenario));
  }
  return scenario;
}

MemorySize memory_for_guests(const RecordedHost& host) {
  const MemorySize rest = host.total - host.largest_own_use();
  return std::min(host.limits.host_memory.value_or(rest), rest);
}

Limits without_budget(Limits limits) {
  limits.host_memory.reset();
  return limits;
}

Trace with_copies(Trace trace, MemorySize host, std::size_t at_least) {
  const auto holds = holds_of(trace.times);
  const std::chrono::seconds length =
      std::accumulate(holds.begin(), holds.end(), std::chrono::seconds(0));
  const double need = mean_need(trace, holds, length);
  const std::size_t recorded = trace.columns.size();
  // Half as much again as fits on average: domains differ in size, and an order draws some of them.
  const double wanted = 1.5 * simulated::kib(host);
  const auto suffices = [&](std::size_t copies) {
    return need * static_cast<double>(copies) >= wanted && copies * recorded >= at_least;
  };
  for (std::size_t copy = 1; copy <= kMostCopies && !suffices(copy); ++copy) {
    for (std::size_t i = 0; i < recorded; ++i) {
      const TraceColumn& original = trace.columns[i];
      trace.columns.push_back({original.name + "+" + std::to_string(copy), original.provisioned,
                               shifted(original.used, trace.times, shift_of(copy, length), length),
                               original.kernel});
    }
  }
  return trace;
}

}  // namespace memcoord::workbench
