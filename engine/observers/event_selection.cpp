#include "engine/observers/event_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace memcoord::observers {
namespace {

constexpr std::size_t place_of(EventGroup group) {
  return static_cast<std::size_t>(group);
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

/// What is known of an event's weight when it comes. A shortage has no end yet.
double first_weight(const Event& event) {
  if (event.kind == Event::Kind::short_of_memory) return std::numeric_limits<double>::infinity();
  if (event.kind == Event::Kind::enough_memory) return seconds_of(event.lasted);
  return static_cast<double>(event.change.kib());
}

}  // namespace

EventGroup group_of(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::killed:
    case Event::Kind::likely_killed:
    case Event::Kind::crashed:
    case Event::Kind::error:
      return EventGroup::killed;
    case Event::Kind::short_of_memory:
    case Event::Kind::enough_memory:
      return EventGroup::shortage;
    case Event::Kind::limited:
      return EventGroup::limit;
    case Event::Kind::moved:
    case Event::Kind::would_move:
      return EventGroup::move;
    case Event::Kind::not_moved:
    case Event::Kind::skipped:
    case Event::Kind::eligible:
    case Event::Kind::note:
    case Event::Kind::hung:
    case Event::Kind::started:
    case Event::Kind::restarted:
    case Event::Kind::stopped:
      break;
  }
  return EventGroup::change;
}

void EventSelection::add(Event event) {
  const std::size_t group = place_of(group_of(event.kind));
  std::vector<Entry>& kept = kept_.at(group);
  const double weight = first_weight(event);
  kept.push_back({std::move(event), added_++, weight});
  // A cut takes time in proportion to what is kept: it waits until that has doubled.
  if (kept.size() >= 2 * most_.at(group) + 1) cut(group);
}

/// A shortage's two events weigh as much as it lasted. One that has not ended is not left out.
void EventSelection::weigh_shortages(std::vector<Entry>& shortages) const {
  std::unordered_map<std::string, Entry*> open;
  for (Entry& entry : shortages) {
    const auto begin = open.find(entry.event.domain);
    if (begin != open.end()) {
      // The next shortage ends one whose end was no event: its domain stopped.
      const bool ends = entry.event.kind == Event::Kind::enough_memory;
      begin->second->weight =
          ends ? entry.weight : seconds_of(entry.event.time - begin->second->event.time);
      open.erase(begin);
    }
    if (std::isinf(entry.weight)) open[entry.event.domain] = &entry;
  }
}

void EventSelection::cut(std::size_t group) {
  std::vector<Entry>& kept = kept_.at(group);
  const std::size_t most = most_.at(group);
  if (kept.size() <= most) return;
  if (group == place_of(EventGroup::shortage)) weigh_shortages(kept);
  const auto matters_more = [](const Entry& a, const Entry& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.number < b.number;
  };
  const auto end = kept.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(kept.begin(), end, kept.end(), matters_more);
  left_out_.at(group) += kept.size() - most;
  kept.erase(end, kept.end());
  std::sort(kept.begin(), kept.end(),
            [](const Entry& a, const Entry& b) { return a.number < b.number; });
}

EventSelection::Result EventSelection::finish() {
  std::vector<Entry> all;
  for (std::size_t group = 0; group < kEventGroupCount; ++group) {
    cut(group);
    for (Entry& entry : kept_.at(group)) all.push_back(std::move(entry));
    kept_.at(group).clear();
  }
  std::sort(all.begin(), all.end(),
            [](const Entry& a, const Entry& b) { return a.number < b.number; });
  Result result;
  result.left_out = left_out_;
  result.events.reserve(all.size());
  for (Entry& entry : all) result.events.push_back(std::move(entry.event));
  return result;
}

std::string left_out_text(const EventSelection::LeftOut& left_out) {
  // In the order of EventGroup.
  constexpr std::array<std::pair<const char*, const char*>, kEventGroupCount> kNames{
      {{"later kill or error", "later kills and errors"},
       {"shorter shortage's event", "events of shorter shortages"},
       {"later change of state", "later changes of state"},
       {"smaller limit", "smaller limits"},
       {"smaller move", "smaller moves"}}};
  std::vector<std::string> parts;
  for (std::size_t group = 0; group < kEventGroupCount; ++group) {
    const std::uint64_t count = left_out.at(group);
    if (count == 0) continue;
    parts.push_back(with_commas(count) + " " +
                    (count == 1 ? kNames.at(group).first : kNames.at(group).second));
  }
  if (parts.empty()) return {};
  const std::string last = parts.back();
  parts.pop_back();
  const bool one = parts.empty() && std::accumulate(left_out.begin(), left_out.end(), 0ULL) == 1;
  const std::string list =
      parts.empty() ? last : fmt::format("{} and {}", fmt::join(parts, ", "), last);
  return list + (one ? " is left out" : " are left out");
}

}  // namespace memcoord::observers
