#include "engine/observers/domain_story.h"

#include <fmt/core.h>

#include <algorithm>

#include "engine/observers/amounts.h"
#include "engine/observers/shortage.h"
#include "engine/observers/shortage_episodes.h"

namespace memcoord::observers {
namespace {

std::string time_short_text(Duration time) {
  return time < std::chrono::seconds(1) ? "under 1 s" : duration_text(time);
}

}  // namespace

double DomainStory::short_share() const {
  return observed.count() > 0 ? seconds_of(short_of_memory) / seconds_of(observed) : 0;
}

std::optional<std::size_t> StoryTeller::place_of(const Uuid& domain) const {
  const auto found = states_.find(domain);
  if (found == states_.end()) return std::nullopt;
  return found->second.place;
}

StoryTeller::State& StoryTeller::state_of(const Domain& domain) {
  const auto [found, is_new] = states_.try_emplace(domain.uuid());
  State& state = found->second;
  if (is_new) {
    state.place = stories_.size();
    state.id = domain.id;
    stories_.emplace_back();
    stories_.back().smallest = MemorySize::largest();
  }
  DomainStory& story = stories_[state.place];
  if (story.name != domain.name()) {
    story.name = domain.name();
    by_name_[story.name] = domain.uuid();
  }
  return state;
}

void StoryTeller::take_domain(const Domain& domain, const Tick& tick, Duration passed) {
  State& state = state_of(domain);
  DomainStory& story = stories_[state.place];
  Domain before;
  before.id = state.id;
  before.guest.swap_in = state.swap_in;
  story.maximum = std::max(story.maximum, domain.maximum);
  story.smallest = std::min(story.smallest, domain.actual);
  story.largest = std::max(story.largest, domain.actual);
  if (guest_runs(domain)) story.observed += passed;
  // The guest has started again, which ends every shortage.
  if (state.id != domain.id) end_shortage(state);
  const auto short_now = shortage_in(domain, &before, tick.limits);
  const bool outside = !state.episode.since;
  state.episode = next_episode(state.episode, short_now, tick.snapshot.taken_at);
  if (outside && state.episode.since) state.in_episode = {};
  if (short_now == true) {
    story.short_of_memory += passed;
    state.in_episode += passed;
  }
  state.id = domain.id;
  state.swap_in = domain.guest.swap_in;
}

/// Ends the reported shortage, if there is one, and the episode.
void StoryTeller::end_shortage(State& state) {
  DomainStory& story = stories_[state.place];
  if (state.short_since != WallTime() && state.in_episode > story.longest_shortage) {
    story.longest_shortage = state.in_episode;
    story.longest_since = state.short_since;
  }
  state.short_since = {};
  state.episode = {};
}

void StoryTeller::take_event(const Event& event) {
  const auto named = by_name_.find(event.domain);
  if (named == by_name_.end()) return;
  State& state = states_[named->second];
  DomainStory& story = stories_[state.place];
  switch (group_of(event.kind)) {
    case EventGroup::shortage:
      if (event.kind == Event::Kind::short_of_memory) {
        ++story.shortages;
        state.short_since = event.time;
      } else {
        end_shortage(state);
      }
      break;
    case EventGroup::move:
      ++story.moves;
      if (event.kind == Event::Kind::would_move) ++story.planned_moves;
      story.moved += event.change;
      break;
    case EventGroup::killed:
      ++story.kills;
      break;
    case EventGroup::change:
      // A shortage has no other end then.
      if (event.kind == Event::Kind::stopped) end_shortage(state);
      break;
    case EventGroup::limit:
      break;
  }
}

void StoryTeller::take(const Tick& tick, const std::vector<Event>& events, Duration passed) {
  if (!tick.sample_error && !tick.restoring) {
    for (const Domain& domain : tick.snapshot.domains) take_domain(domain, tick, passed);
  }
  for (const Event& event : events) take_event(event);
  for (const Decision& decision : tick.decisions) {
    const auto found = states_.find(decision.domain);
    if (decision.rules.empty() || found == states_.end()) continue;
    ++stories_[found->second.place].limits;
  }
}

std::vector<DomainStory> StoryTeller::finish() {
  for (auto& [uuid, state] : states_) end_shortage(state);
  return std::move(stories_);
}

std::string story_text(const DomainStory& story, Units units) {
  std::string text = "never short of memory";
  if (story.shortages > 0 || story.short_of_memory.count() > 0) {
    text = "short for " + time_short_text(story.short_of_memory);
    if (story.shortages > 0) {
      text += ", in " + counted(story.shortages, "shortage");
    }
    if (story.shortages > 1) text += ", the longest " + time_short_text(story.longest_shortage);
  }
  if (story.kills > 0) {
    text += "; " + counted(story.kills, "sign") + " of a kill";
  }
  text += story.moves == 0
              ? std::string("; never moved")
              : fmt::format("; {} {}",
                            story.planned_moves == story.moves ? "would have been moved" : "moved",
                            counted(story.moves, "time"));
  const bool one_size = story.smallest == story.largest;
  return text + "; " + story.smallest.text(units) +
         (one_size ? "" : " to " + story.largest.text(units));
}

}  // namespace memcoord::observers
