#include "engine/workbench/run_record.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace memcoord::workbench {
namespace {

using observers::DomainStory;
using observers::Event;
using simulated::SimulatedDomain;
using simulated::SimulatedHost;

constexpr std::string_view kOomNote = ": its OOM killer ended the workload";

/// Makes one moment of each `group` adjacent ones.
template <class Moment>
std::vector<Moment> merged_in_groups(const std::vector<Moment>& moments, std::size_t group) {
  std::vector<Moment> out;
  out.reserve(moments.size() / group + 1);
  for (std::size_t i = 0; i < moments.size(); ++i) {
    if (i % group == 0) {
      out.push_back(moments[i]);
    } else {
      out.back() = merged(out.back(), moments[i]);
    }
  }
  return out;
}

/// Makes one interval of each `group` adjacent ones; the last group may be smaller.
void merge_in_groups(RunRecord& record, std::size_t group) {
  std::vector<Duration> times;
  for (std::size_t i = 0; i < record.times.size(); ++i) {
    if (i % group == group - 1 || i + 1 == record.times.size()) times.push_back(record.times[i]);
  }
  record.times = std::move(times);
  record.host = merged_in_groups(record.host, group);
  for (DomainRecord& domain : record.domains) {
    domain.moments = merged_in_groups(domain.moments, group);
  }
}

MemorySize size(double kib) {
  return kib <= 0 ? MemorySize() : MemorySize::from_kib(static_cast<std::uint64_t>(kib));
}

}  // namespace

DomainMoment merged(const DomainMoment& a, const DomainMoment& b) {
  if (!a.active) return b;
  if (!b.active) return a;
  DomainMoment both = b;
  both.stalled = a.stalled || b.stalled;
  both.oom = a.oom || b.oom;
  both.rules = a.rules | b.rules;
  if (a.silent) return both;
  if (b.silent) {
    both.silent = false;
    both.need = a.need;
    both.unused = a.unused;
    both.usable = a.usable;
    return both;
  }
  both.need = std::max(a.need, b.need);
  both.unused = std::min(a.unused, b.unused);
  both.usable = std::min(a.usable, b.usable);
  return both;
}

HostMoment merged(const HostMoment& a, const HostMoment& b) {
  if (!a.active) return b;
  if (!b.active) return a;
  return {std::min(a.free, b.free), b.granted, std::max(a.need, b.need), true};
}

RunRecord downsampled(const RunRecord& record, std::size_t most_moments) {
  RunRecord result = record;
  const std::size_t most = std::max<std::size_t>(1, most_moments);
  const std::size_t group = (record.times.size() + most - 1) / most;
  if (group > 1) merge_in_groups(result, group);
  return result;
}

Recorder::Recorder(const simulated::Scenario& scenario, Bounds bounds)
    : bounds_(bounds),
      most_moments_(std::max<std::size_t>(
          200, bounds.values / std::max<std::size_t>(1, scenario.domains.size()))),
      events_(bounds.events) {
  record_.scenario = scenario.name;
  record_.summary = scenario.summary;
  record_.duration = scenario.duration;
  record_.host_total = scenario.host_total;
}

void Recorder::begin(const Tick& tick, const SimulatedHost& host) {
  record_.policy = tick.policy;
  record_.limits = tick.limits;
  record_.start = tick.snapshot.wall_time - std::chrono::floor<WallTime::duration>(host.now());
  past_.resize(host.domains().size());
  for (const SimulatedDomain& domain : host.domains()) {
    places_.emplace(domain.identity->uuid, record_.domains.size());
    DomainRecord& record = record_.domains.emplace_back();
    record.name = domain.identity->name;
    record.maximum = domain.plan->maximum;
  }
}

void Recorder::take(const Tick& tick, SimulatedHost& host) {
  host.settle();
  if (record_.domains.empty()) begin(tick, host);
  open_interval(host);
  const simulated::Model& model = host.scenario().model;
  HostMoment moment;
  moment.free = tick.snapshot.host.free;
  std::vector<Event> kills;
  const auto killed = [&](std::string name, const char* text) {
    kills.push_back({tick.snapshot.wall_time, Event::Kind::killed, std::move(name), text});
  };
  for (std::size_t i = 0; i < host.domains().size(); ++i) {
    const SimulatedDomain& domain = host.domains()[i];
    if (take_domain(i, domain, model)) {
      killed(domain.identity->name, "its OOM killer ended the workload");
    }
    const DomainMoment& one = record_.domains[i].moments.back();
    if (!domain.active) continue;
    moment.granted += one.actual;
    moment.need += size(domain.guest.need(model));
  }
  record_.host.back() = ticks_in_moment_ == 0 ? moment : merged(record_.host.back(), moment);
  take_rules(tick);
  if (host.score().oom_kills > host_oom_kills_) {
    host_oom_kills_ = host.score().oom_kills;
    killed("", "the host ran out of memory");
  }
  take_events(tick, std::move(kills));
  if (++ticks_in_moment_ >= ticks_per_moment_) ticks_in_moment_ = 0;
  if (ticks_in_moment_ == 0 && record_.times.size() >= most_moments_) halve();
}

void Recorder::open_interval(const SimulatedHost& host) {
  if (ticks_in_moment_ > 0) {
    record_.times.back() = host.now();
    return;
  }
  record_.times.push_back(host.now());
  record_.host.emplace_back();
  for (DomainRecord& domain : record_.domains) domain.moments.emplace_back();
}

bool Recorder::take_domain(std::size_t place, const SimulatedDomain& domain,
                           const simulated::Model& model) {
  const simulated::Guest& guest = domain.guest;
  Past& past = past_[place];
  DomainMoment& moment = record_.domains[place].moments.back();
  const bool oom = domain.active && guest.score.oom_kills > past.oom_kills;
  if (domain.active) {
    DomainMoment now;
    now.active = true;
    now.actual = size(guest.actual);
    now.need = size(guest.need(model));
    now.unused = size(guest.unused(model));
    now.usable = size(guest.usable(model));
    now.stalled = guest.score.stalled_seconds > past.stalled_seconds;
    now.oom = oom;
    moment = merged(moment, now);
  }
  past = {guest.score.stalled_seconds, guest.score.oom_kills};
  return oom;
}

void Recorder::take_rules(const Tick& tick) {
  for (const Decision& decision : tick.decisions) {
    const auto found = places_.find(decision.domain);
    for (const RuleHit& hit : decision.rules) {
      const auto rule = static_cast<std::size_t>(hit.rule);
      ++record_.rule_limits[rule];
      if (found == places_.end()) continue;
      record_.domains[found->second].moments.back().rules |= std::uint32_t{1} << rule;
    }
  }
}

/// The simulated host knows of kills what a real one has to guess, and says so in notes too.
void Recorder::take_events(const Tick& tick, std::vector<Event> kills) {
  const Duration at = record_.times.back();
  std::vector<Event> events = finder_.events_of(tick);
  std::erase_if(events, [](const Event& event) {
    return event.kind == Event::Kind::likely_killed ||
           (event.kind == Event::Kind::note && event.text.ends_with(kOomNote));
  });
  std::move(kills.begin(), kills.end(), std::back_inserter(events));
  stories_.take(tick, events, last_tick_ ? at - *last_tick_ : Duration());
  last_tick_ = at;
  for (Event& event : events) events_.add(std::move(event));
}

void Recorder::halve() {
  merge_in_groups(record_, 2);
  ticks_per_moment_ *= 2;
}

RunRecord Recorder::finish(SimulatedHost& host, Duration interval) {
  host.settle();
  record_.interval = interval;
  record_.score = score_of(host);
  for (std::size_t i = 0; i < record_.domains.size(); ++i) {
    const simulated::GuestScore& score = host.domains()[i].guest.score;
    record_.domains[i].oom_kills = score.oom_kills;
    if (score.seconds > 0) record_.domains[i].stalled = score.stalled_seconds / score.seconds;
  }
  std::unordered_map<std::string, DomainStory> by_name;
  for (DomainStory& story : stories_.finish()) by_name[story.name] = std::move(story);
  for (DomainRecord& domain : record_.domains) domain.story = by_name[domain.name];
  observers::EventSelection::Result events = events_.finish();
  record_.events = std::move(events.events);
  record_.events_left_out = events.left_out;
  return std::move(record_);
}

}  // namespace memcoord::workbench
