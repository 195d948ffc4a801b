#include "engine/workbench/report/recorded.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "engine/observers/amounts.h"
#include "engine/observers/events.h"
#include "engine/workbench/report/report.h"

namespace memcoord::workbench::report {
namespace {

using observers::DomainStory;

/// Sums over the stories of all domains.
struct Stories {
  Duration observed{};
  Duration short_of_memory{};
  std::uint64_t shortages = 0;
  std::uint64_t kills = 0;
  std::uint64_t moves = 0;
  MemorySize moved;
  std::size_t short_domains = 0;
  const DomainStory* longest = nullptr;  ///< the one with the most time short of memory
};

Stories sum_of(const RunRecord& record) {
  Stories sum;
  for (const DomainRecord& domain : record.domains) {
    const DomainStory& story = domain.story;
    sum.observed += story.observed;
    sum.short_of_memory += story.short_of_memory;
    sum.shortages += story.shortages;
    sum.kills += story.kills;
    sum.moves += story.moves;
    sum.moved += story.moved;
    if (story.short_of_memory.count() == 0) continue;
    ++sum.short_domains;
    const bool longer =
        sum.longest == nullptr || story.short_of_memory > sum.longest->short_of_memory;
    if (longer) sum.longest = &story;
  }
  return sum;
}

std::string counted_text(std::uint64_t count, const char* one, const char* several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

}  // namespace

std::string time_span_text(const RunRecord& record) {
  const WallTime end = record.start + std::chrono::floor<WallTime::duration>(record.duration);
  return observers::time_text(record.start, true, true) + " to " +
         observers::brief_time_text(end, record.start, true);
}

std::string summary_text(const RunRecord& record) {
  const Stories sum = sum_of(record);
  const RecordedSums& sums = *record.recorded;
  std::string text = "No domain was short of memory.";
  if (sum.longest != nullptr) {
    text = fmt::format("{} of {} domains {} short of memory, {} longest: {} in all.",
                       sum.short_domains, record.domains.size(),
                       sum.short_domains == 1 ? "was" : "were", sum.longest->name,
                       observers::duration_text(sum.longest->short_of_memory));
  }
  if (sum.kills > 0) text += " " + counted_text(sum.kills, "sign", "signs") + " of kills.";
  if (sums.under_floor.count() > 0) {
    text += " The host was under its floor for " + observers::duration_text(sums.under_floor) + ".";
  }
  if (sums.policy_errors > 0) {
    text += fmt::format(" The policy failed in {} of {}.", sums.policy_errors,
                        counted_text(sums.ticks, "tick", "ticks"));
  }
  const Duration missing = record.duration - sums.recorded;
  if (missing > std::chrono::seconds(1)) {
    text += " Nothing was recorded for " + observers::duration_text(missing) + ".";
  }
  return text;
}

std::vector<Figure> figures_of_recorded(const RunRecord& record) {
  const Stories sum = sum_of(record);
  const RecordedSums& sums = *record.recorded;
  const auto count = [](std::uint64_t number) { return std::to_string(number); };
  const double share =
      sum.observed.count() > 0 ? seconds_of(sum.short_of_memory) / seconds_of(sum.observed) : 0;
  const auto failed = sums.policy_errors + sums.failed_samples;
  const auto figure = [](std::string name, std::string text, std::string meaning, double value,
                         bool alarming) {
    return Figure{std::move(name), std::move(text), std::move(meaning), value, alarming};
  };
  return {
      figure("short", percent(share),
             "share of domain-time in which a guest had less headroom than its floor, or read "
             "memory back from its swap",
             share, share > 0),
      figure("shortages", count(sum.shortages), "shortages that lasted, over all domains",
             static_cast<double>(sum.shortages), sum.shortages > 0),
      figure("signs of kills", count(sum.kills),
             "a guest that was short suddenly used much less, or crashed",
             static_cast<double>(sum.kills), sum.kills > 0),
      figure("under the floor", time_text(sums.under_floor),
             "time in which the host had less than its floor", seconds_of(sums.under_floor),
             sums.under_floor.count() > 0),
      figure("moves", count(sum.moves), "balloons that memcoord moved",
             static_cast<double>(sum.moves), false),
      figure("moved", sum.moved.text(record.limits.units), "memory that these moves took or gave",
             static_cast<double>(sum.moved.kib()), false),
      figure("failed ticks", count(failed),
             "ticks without a sample of the host, or without a policy", static_cast<double>(failed),
             failed > 0),
  };
}

}  // namespace memcoord::workbench::report

namespace memcoord::workbench {

RecordSummary summary_of(const RunRecord& record) {
  return {report::time_span_text(record), report::summary_text(record)};
}

}  // namespace memcoord::workbench
