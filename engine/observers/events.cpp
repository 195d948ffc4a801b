#include "engine/observers/events.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "engine/core/screen_text.h"
#include "engine/observers/tick_json.h"

namespace memcoord::observers {
namespace {

constexpr std::array<std::string_view, 9> kEventKinds{
    "moved", "would move", "not moved", "short", "enough", "skipped", "eligible", "note", "error"};
constexpr std::size_t kNameColumn = 12;
constexpr std::size_t kWidestNameColumn = 40;

/// Every guest waits for a report now and then: after a move, after its start.
bool waits_for_report(const SkippedDomain& skipped, const Domain& domain) {
  return skipped.rule == Rule::fresh_stats && domain.guest.last_update.has_value();
}

/// Moved, or in a dry run as good as moved.
bool was_moved(const Outcome& outcome) {
  return outcome.kind == Outcome::Kind::applied || outcome.kind == Outcome::Kind::dry_run;
}

std::string moved_text(const Outcome& first, const Outcome& last, const Decision* decision,
                       Units units) {
  std::string text =
      move_text(first.from, last.to, units) + " (" + change_text(first.from, last.to, units) + ")";
  if (decision == nullptr) return text;
  if (!decision->why.empty()) text += ": " + decision->why;
  for (const RuleHit& hit : decision->rules) {
    text += "; " + std::string(to_text(hit.rule)) + ": " + hit.why;
  }
  return text;
}

}  // namespace

std::string_view to_text(Event::Kind kind) {
  return kEventKinds.at(static_cast<std::size_t>(kind));
}

std::vector<Event> EventFinder::events_of(const Tick& tick) {
  if (tick.snapshot.wall_time != WallTime()) time_ = tick.snapshot.wall_time;
  std::vector<Event> events;
  add_errors(tick, events);
  if (!tick.sample_error) {
    // The snapshot of a restoration is from before it.
    if (!tick.restoring) {
      add_states(tick, events);
      add_shortages(tick, events);
    }
    add_moves(tick, events);
  }
  return events;
}

void EventFinder::add_errors(const Tick& tick, std::vector<Event>& events) {
  std::string newest;
  for (const auto* error : {&tick.policy_error, &tick.sample_error}) {
    if (!*error) continue;
    newest = (*error)->text();
    if (newest != last_error_) events.push_back(event(Event::Kind::error, "", newest));
  }
  last_error_ = std::move(newest);
  for (const Note& note : tick.notes) {
    const bool bad = note.severity == Note::Severity::error;
    events.push_back(event(bad ? Event::Kind::error : Event::Kind::note, "", note.text));
  }
}

void EventFinder::add_states(const Tick& tick, std::vector<Event>& events) {
  ++turn_;
  std::unordered_map<Uuid, const SkippedDomain*> skipped;
  for (const SkippedDomain& one : tick.skipped) skipped.emplace(one.domain, &one);
  for (const Domain& domain : tick.snapshot.domains) {
    State& state = states_[domain.uuid()];
    const bool is_known = state.turn != 0 && state.id == domain.id;
    const auto add = [&](Event::Kind kind, std::string text) {
      events.push_back(event(kind, domain.name(), std::move(text)));
    };
    if (state.turn != 0 && !is_known) {
      state = {};
      add(Event::Kind::note, "started again");
    }
    const auto found = skipped.find(domain.uuid());
    const bool counts = found != skipped.end() && !waits_for_report(*found->second, domain);
    const std::string why = counts ? found->second->why : std::string();
    if (why != state.skipped) {
      // The tick's note says the same without the domain.
      std::erase_if(events, [&](const Event& other) {
        return other.domain.empty() && other.text == domain.name() + ": skipped: " + why;
      });
      add(counts ? Event::Kind::skipped : Event::Kind::eligible,
          counts ? why : "no longer skipped (was: " + state.skipped + ")");
    }
    state = {domain.identity, domain.id, why, std::move(state.failure), turn_};
  }
  std::erase_if(states_, [&](const auto& entry) { return entry.second.turn != turn_; });
}

void EventFinder::add_shortages(const Tick& tick, std::vector<Event>& events) {
  for (ShortageFinder::Change& change : shortages_.changes_of(tick)) {
    const auto kind = change.begins ? Event::Kind::short_of_memory : Event::Kind::enough_memory;
    events.push_back(event(kind, change.domain->name(), std::move(change.text)));
  }
}

void EventFinder::add_moves(const Tick& tick, std::vector<Event>& events) {
  for (const Outcome& outcome : tick.late_outcomes) {
    add_outcome(tick, outcome, outcome, nullptr, events);
  }
  if (tick.outcomes.empty()) return;
  std::unordered_map<Uuid, const Decision*> decisions;
  for (const Decision& decision : tick.decisions) decisions.emplace(decision.domain, &decision);
  // A grow that waits for memory is sent in steps, and makes one event.
  struct Steps {
    const Outcome* first = nullptr;
    const Outcome* moved = nullptr;
    const Outcome* failed = nullptr;
  };
  std::unordered_map<Uuid, Steps> moves;
  std::vector<Uuid> order;
  for (const Outcome& outcome : tick.outcomes) {
    Steps& steps = moves[outcome.domain];
    if (steps.first == nullptr) {
      steps.first = &outcome;
      order.push_back(outcome.domain);
    }
    (was_moved(outcome) ? steps.moved : steps.failed) = &outcome;
  }
  for (const Uuid& uuid : order) {
    const Steps& steps = moves[uuid];
    const auto found = decisions.find(uuid);
    const Decision* decision = found == decisions.end() ? nullptr : found->second;
    if (steps.moved) add_outcome(tick, *steps.first, *steps.moved, decision, events);
    if (steps.failed) add_outcome(tick, *steps.failed, *steps.failed, decision, events);
  }
}

void EventFinder::add_outcome(const Tick& tick, const Outcome& first, const Outcome& last,
                              const Decision* decision, std::vector<Event>& events) {
  const auto known = states_.find(last.domain);
  if (known == states_.end()) return;
  State& state = known->second;
  const Units units = tick.limits.units;
  if (was_moved(last)) {
    state.failure.clear();
    const bool dry_run = last.kind == Outcome::Kind::dry_run;
    events.push_back(event(dry_run ? Event::Kind::would_move : Event::Kind::moved,
                           state.identity->name, moved_text(first, last, decision, units)));
    return;
  }
  const std::string why = last.error ? last.error->message : std::string(to_text(last.kind));
  if (why == state.failure) return;
  state.failure = why;
  const bool unknown = last.kind == Outcome::Kind::unknown;
  events.push_back(
      event(Event::Kind::not_moved, state.identity->name,
            (unknown ? "whether it was moved to " + last.to.text(units) + " is not known: "
                     : "not moved to " + last.to.text(units) + ": ") +
                why));
}

Json event_json(const Event& event) {
  return Json::object({{"time", iso_text(event.time)},
                       {"domain", event.domain.empty() ? Json() : Json(event.domain)},
                       {"kind", to_text(event.kind)},
                       {"text", event.text}});
}

std::string time_text(WallTime time, bool local, bool with_date) {
  const std::time_t stamp =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  if (local) {
    localtime_r(&stamp, &parts);
  } else {
    gmtime_r(&stamp, &parts);
  }
  std::array<char, 32> text{};
  const char* form = with_date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S";
  return {text.data(), std::strftime(text.data(), text.size(), form, &parts)};
}

std::string brief_time_text(WallTime time, WallTime now, bool local) {
  constexpr std::size_t kDate = 10;  // "2026-01-31"
  const auto date = [&](WallTime of) { return time_text(of, local, true).substr(0, kDate); };
  return time_text(time, local, date(time) != date(now));
}

std::vector<std::string> lines_of(const std::vector<Event>& events, bool local_time) {
  const auto name_of = [](const Event& event) { return event.domain.empty() ? "-" : event.domain; };
  std::size_t column = kNameColumn;
  for (const Event& event : events) {
    column = std::clamp(display_width(name_of(event)), column, kWidestNameColumn);
  }
  std::vector<std::string> lines;
  lines.reserve(events.size());
  for (const Event& event : events) {
    const std::string name = name_of(event);
    const std::size_t width = display_width(name);
    lines.push_back(fmt::format("{}  {}{}  {:<10}  {}", time_text(event.time, local_time, true),
                                name, std::string(column - std::min(column, width), ' '),
                                to_text(event.kind), event.text));
  }
  return lines;
}

}  // namespace memcoord::observers
