#include "engine/control/run_problems.h"

#include <algorithm>

#include "engine/observers/shortage_episodes.h"

namespace memcoord::control {

std::optional<Duration> standstill(const RunState::View& view, WallTime now, Duration interval) {
  if (!view.newest) return std::nullopt;
  const WallTime at = view.newest->snapshot.wall_time;
  const Duration since = now - at;
  const Duration most = std::max<Duration>(5 * interval, std::chrono::seconds(5));
  if (at == WallTime() || since <= most) return std::nullopt;
  return since;
}

std::vector<Problem> run_problems(const RunState::View& view, WallTime now, Duration interval) {
  std::vector<Problem> problems;
  if (!view.newest) return problems;
  if (const auto since = standstill(view, now, interval)) {
    problems.push_back({"",
                        "no tick for " + observers::duration_text(*since) +
                            ": memcoord waits for libvirt, or the host is overloaded",
                        view.newest->snapshot.wall_time});
  }
  const auto add = [&](const std::optional<Error>& error, const std::optional<WallTime>& since) {
    if (error) problems.push_back({"", error->text(), since});
  };
  add(view.newest->sample_error, view.since->sample_error);
  add(view.newest->policy_error, view.since->policy_error);
  return problems;
}

}  // namespace memcoord::control
