#include "engine/control/run_problems.h"

#include <algorithm>

#include "engine/observers/amounts.h"
#include "engine/observers/events.h"

namespace memcoord::control {

namespace {

/// The time since the newest tick, if that is so long that the run stands still: over five
/// intervals and five seconds.
std::optional<Duration> standstill(const RunState::View& view, WallTime now, Duration interval) {
  if (!view.newest) return std::nullopt;
  const WallTime at = view.newest->snapshot.wall_time;
  const Duration since = now - at;
  const Duration most = std::max<Duration>(5 * interval, std::chrono::seconds(5));
  if (at == WallTime() || since <= most) return std::nullopt;
  return since;
}

}  // namespace

std::vector<Problem> run_problems(const RunState::View& view, WallTime now, Duration interval) {
  std::vector<Problem> problems;
  if (!view.newest) return problems;
  if (const auto since = standstill(view, now, interval)) {
    problems.push_back({"",
                        "No tick for " + observers::duration_text(*since) +
                            ": memcoord waits for libvirt, or the host is overloaded",
                        view.newest->snapshot.wall_time});
  }
  if (const auto& error = view.newest->sample_error) {
    problems.push_back({"", "No sample of the host: " + error->text(), view.since->sample_error});
  }
  if (const auto& error = view.newest->policy_error) {
    problems.push_back({"", "The policy " + view.newest->policy + " fails: " + error->text(),
                        view.since->policy_error});
  }
  if (const auto& loss = view.journal_loss) {
    problems.push_back(
        {"",
         "The journal loses ticks: " + loss->error + "; " + std::to_string(loss->ticks) + " lost",
         loss->since});
  }
  return problems;
}

std::string since_text(const std::optional<WallTime>& since, WallTime now, bool local) {
  if (!since) return {};
  return " (since " + observers::brief_time_text(*since, now, local) + ")";
}

}  // namespace memcoord::control
