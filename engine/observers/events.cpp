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

constexpr std::array<std::string_view, kEventKindCount> kEventKinds{
    "moved",    "would move", "not moved", "short",     "enough", "skipped",
    "eligible", "note",       "error",     "limited",   "killed", "killed?",
    "crashed",  "hung",       "started",   "restarted", "stopped"};
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
  add_run(tick, events);
  add_errors(tick, events);
  if (!tick.sample_error) {
    // The snapshot of a restoration is from before it.
    if (!tick.restoring) {
      add_states(tick, events);
      add_shortages(tick, events);
      add_limits(tick, events);
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

/// A run counts its ticks from 1: a lower number is of a new run.
void EventFinder::add_run(const Tick& tick, std::vector<Event>& events) {
  const bool begins = tick.number < number_ && !tick.restoring;
  if (begins) events.push_back(event(Event::Kind::note, "", "a new run of memcoord begins"));
  number_ = tick.number;
}

void EventFinder::add_states(const Tick& tick, std::vector<Event>& events) {
  ++turn_;
  std::unordered_map<Uuid, const SkippedDomain*> skipped;
  for (const SkippedDomain& one : tick.skipped) skipped.emplace(one.domain, &one);
  for (const Domain& domain : tick.snapshot.domains) {
    State& state = states_[domain.uuid()];
    add_lifetime(tick, domain, state, events);
    const auto found = skipped.find(domain.uuid());
    add_eligibility(domain, state, found == skipped.end() ? nullptr : found->second, events);
    state.identity = domain.identity;
    state.id = domain.id;
    state.is = domain.state;
    state.turn = turn_;
  }
  add_stopped(tick, events);
}

void EventFinder::add_lifetime(const Tick& tick, const Domain& domain, State& state,
                               std::vector<Event>& events) const {
  const auto add = [&](Event::Kind kind, std::string text) {
    events.push_back(event(kind, domain.name(), std::move(text)));
  };
  const bool is_new = state.turn == 0;
  if (is_new && turn_ > 1) {
    add(Event::Kind::started, "runs on this host, with " + domain.actual.text(tick.limits.units));
  } else if (!is_new && state.id != domain.id) {
    state = {};
    add(Event::Kind::restarted, "started again");
  }
  const GuestSigns::Found signs = state.signs.next(domain, tick.limits);
  if (signs.rebooted) add(Event::Kind::restarted, "its guest rebooted");
  if (signs.fall) {
    const Units units = tick.limits.units;
    add(Event::Kind::likely_killed,
        "what it uses fell from " + signs.fall->before.text(units) + " to " +
            signs.fall->after.text(units) +
            " when it had almost nothing left: its OOM killer may have ended a process");
  }
  if (state.is != domain.state && domain.state == DomainState::crashed) {
    add(Event::Kind::crashed, "its QEMU process or its guest crashed");
  }
}

void EventFinder::add_eligibility(const Domain& domain, State& state, const SkippedDomain* skipped,
                                  std::vector<Event>& events) const {
  const bool counts = skipped != nullptr && !waits_for_report(*skipped, domain);
  std::string why = counts ? skipped->why : std::string();
  if (why == state.skipped) return;
  // The tick's note says the same without the domain.
  std::erase_if(events, [&](const Event& other) {
    return other.domain.empty() && other.text == domain.name() + ": skipped: " + why;
  });
  const bool hangs = domain.state == DomainState::hung;
  events.push_back(counts
                       ? event(hangs ? Event::Kind::hung : Event::Kind::skipped, domain.name(), why)
                       : event(Event::Kind::eligible, domain.name(),
                               "no longer skipped (was: " + state.skipped + ")"));
  state.skipped = std::move(why);
}

void EventFinder::add_stopped(const Tick& tick, std::vector<Event>& events) {
  const Limits& limits = tick.limits;
  const MemorySize left = host_headroom(tick.snapshot.host, limits.headroom);
  std::vector<std::string> names;
  for (const auto& [uuid, state] : states_) {
    if (state.turn != turn_) names.push_back(state.identity->name);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    std::string text = "no longer runs on this host";
    if (left < limits.host_floor) {
      text += ", which has only " + left.text(limits.units) + " left";
    }
    events.push_back(event(Event::Kind::stopped, name, std::move(text)));
  }
  std::erase_if(states_, [&](const auto& entry) { return entry.second.turn != turn_; });
}

void EventFinder::add_limits(const Tick& tick, std::vector<Event>& events) {
  for (const Decision& decision : tick.decisions) {
    const auto known = states_.find(decision.domain);
    if (decision.rules.empty() || known == states_.end()) continue;
    State& state = known->second;
    std::string text;
    MemorySize change;
    for (const RuleHit& hit : decision.rules) {
      WallTime& last = state.limited_at.at(static_cast<std::size_t>(hit.rule));
      const bool again = last != WallTime() && last <= time_ && time_ - last < kSameLimit;
      last = time_;
      if (again) continue;
      text += (text.empty() ? "" : "; ") + std::string(to_text(hit.rule)) + ": " + hit.why;
      change = std::max(change,
                        hit.before > hit.after ? hit.before - hit.after : hit.after - hit.before);
    }
    if (text.empty()) continue;
    events.push_back(event(Event::Kind::limited, state.identity->name, std::move(text)));
    events.back().change = change;
  }
}

void EventFinder::add_shortages(const Tick& tick, std::vector<Event>& events) {
  for (ShortageFinder::Change& change : shortages_.changes_of(tick)) {
    const auto kind = change.begins ? Event::Kind::short_of_memory : Event::Kind::enough_memory;
    events.push_back(event(kind, change.domain->name(), std::move(change.text)));
    events.back().lasted = change.lasted;
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
    events.back().change = last.to > first.from ? last.to - first.from : first.from - last.to;
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
