#include "engine/observers/shortage_episodes.h"

#include <utility>

#include "engine/observers/amounts.h"
#include "engine/observers/shortage.h"

namespace memcoord::observers {
namespace {

/// What to report of a domain that has been short for this time; empty if nothing yet.
std::string beginning_text(const DomainTick& about, Duration lasted) {
  const bool grows = about.moves() && about.decision->grows() && !about.move_failed();
  if (grows && lasted < ShortageFinder::kGrowPatience) return {};
  std::string text = problem_of(about);
  if (!text.empty() || !grows) return text;
  return "short of memory for " + duration_text(lasted) + ", although it grows";
}

}  // namespace

std::optional<bool> shortage_in(const Domain& domain, const Domain* before, const Limits& limits) {
  if (is_short(domain, before, limits)) return true;
  if (!guest_runs(domain) || !headroom_of(domain, limits.headroom)) return {};
  return false;
}

Episode next_episode(Episode episode, std::optional<bool> is_short, MonotonicTime now) {
  if (!is_short) return episode;
  if (episode.since > now) episode.since = now;
  if (episode.enough_since > now) episode.enough_since = now;
  if (*is_short) return {episode.since.value_or(now), std::nullopt, 0};
  if (!episode.since) return {};
  if (!episode.enough_since) episode.enough_since = now;
  ++episode.enough_ticks;
  const bool ends = episode.enough_ticks >= Episode::kEnoughTicks &&
                    now - *episode.enough_since >= Episode::kEnoughTime;
  return ends ? Episode{} : episode;
}

std::vector<ShortageFinder::Change> ShortageFinder::changes_of(const Tick& tick) {
  ++turn_;
  std::vector<Change> changes;
  const MonotonicTime now = tick.snapshot.taken_at;
  for (const Domain& domain : tick.snapshot.domains) {
    State& state = states_[domain.uuid()];
    if (state.turn != 0 && state.id != domain.id) state = {};
    Domain before;
    before.id = domain.id;
    before.guest.swap_in = state.swap_in;
    const auto short_now = shortage_in(domain, &before, tick.limits);
    const Episode last = std::exchange(state.episode, next_episode(state.episode, short_now, now));
    if (short_now == true && !state.reported) {
      std::string text =
          beginning_text(domain_tick(tick, domain, &before), now - *state.episode.since);
      state.reported = !text.empty();
      if (state.reported) changes.push_back({&domain, true, std::move(text), {}});
    } else if (last.since && !state.episode.since && std::exchange(state.reported, false)) {
      // The time without a shortage does not count.
      const MonotonicTime enough = std::max(last.enough_since.value_or(now), *last.since);
      const Duration lasted = enough - *last.since;
      changes.push_back(
          {&domain, false, "enough memory again, after " + duration_text(lasted), lasted});
    }
    state.id = domain.id;
    state.swap_in = domain.guest.swap_in;
    state.turn = turn_;
  }
  std::erase_if(states_, [&](const auto& entry) { return entry.second.turn != turn_; });
  return changes;
}

std::optional<MonotonicTime> ShortageFinder::short_since(const Uuid& domain) const {
  const auto found = states_.find(domain);
  if (found == states_.end() || !found->second.reported) return std::nullopt;
  return found->second.episode.since;
}

}  // namespace memcoord::observers
