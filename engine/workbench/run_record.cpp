#include "engine/workbench/run_record.h"

#include <algorithm>
#include <utility>

namespace memcoord::workbench {
namespace {

using simulated::SimulatedDomain;
using simulated::SimulatedHost;

/// The interval of `a` and the adjacent, later one of `b` as one.
DomainMoment merged(const DomainMoment& a, const DomainMoment& b) {
  if (!a.active) return b;
  if (!b.active) return a;
  return {true,
          b.actual,
          std::max(a.need, b.need),
          std::min(a.unused, b.unused),
          std::min(a.usable, b.usable),
          a.stalled || b.stalled,
          a.oom || b.oom,
          a.rules | b.rules};
}

HostMoment merged(const HostMoment& a, const HostMoment& b) {
  return {std::min(a.free, b.free), b.granted, std::max(a.need, b.need)};
}

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

std::string move_with_reason(const Decision& decision, Units units) {
  std::string text = move_text(decision.actual, decision.target, units);
  if (!decision.why.empty()) text += ": " + decision.why;
  return text;
}

std::string rules_text(const Decision& decision) {
  std::string text;
  for (const RuleHit& hit : decision.rules) {
    text += (text.empty() ? "" : "; ") + std::string(to_text(hit.rule)) + ": " + hit.why;
  }
  return text;
}

}  // namespace

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
          200, bounds.values / std::max<std::size_t>(1, scenario.domains.size()))) {
  record_.scenario = scenario.name;
  record_.summary = scenario.summary;
  record_.duration = scenario.duration;
  record_.host_total = scenario.host_total;
}

void Recorder::begin(const Tick& tick, const SimulatedHost& host) {
  record_.policy = tick.policy;
  record_.limits = tick.limits;
  past_.resize(host.domains().size());
  for (const SimulatedDomain& domain : host.domains()) {
    places_.emplace(domain.identity->uuid, record_.domains.size());
    record_.domains.push_back({domain.identity->name, domain.plan->maximum, {}, 0, 0});
  }
}

void Recorder::take(const Tick& tick, SimulatedHost& host) {
  host.settle();
  if (record_.domains.empty()) begin(tick, host);
  open_interval(host);
  const simulated::Model& model = host.scenario().model;
  HostMoment moment;
  moment.free = tick.snapshot.host.free;
  for (std::size_t i = 0; i < host.domains().size(); ++i) {
    take_domain(i, host.domains()[i], model);
    const DomainMoment& one = record_.domains[i].moments.back();
    if (!host.domains()[i].active) continue;
    moment.granted += one.actual;
    moment.need += size(host.domains()[i].guest.need(model));
  }
  record_.host.back() = ticks_in_moment_ == 0 ? moment : merged(record_.host.back(), moment);
  take_rules(tick);
  update_from_events(tick, host.now());
  if (host.score().oom_kills > host_oom_kills_) {
    host_oom_kills_ = host.score().oom_kills;
    add_event({host.now(), RunEvent::Kind::host_oom, "", "the host ran out of memory"});
  }
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

void Recorder::take_domain(std::size_t place, const SimulatedDomain& domain,
                           const simulated::Model& model) {
  const simulated::Guest& guest = domain.guest;
  Past& past = past_[place];
  DomainMoment& moment = record_.domains[place].moments.back();
  if (domain.active) {
    const DomainMoment now{true,
                           size(guest.actual),
                           size(guest.need(model)),
                           size(guest.unused(model)),
                           size(guest.usable(model)),
                           guest.score.stalled_seconds > past.stalled_seconds,
                           guest.score.oom_kills > past.oom_kills,
                           0};
    if (now.oom) {
      const RunEvent::Kind kind = RunEvent::Kind::guest_oom;
      add_event(
          {record_.times.back(), kind, domain.identity->name, "its OOM killer ended the workload"});
    }
    moment = merged(moment, now);
  }
  past = {guest.score.stalled_seconds, guest.score.oom_kills};
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

void Recorder::update_from_events(const Tick& tick, Duration at) {
  if (tick.policy_error) {
    add_event({at, RunEvent::Kind::policy_error, "", tick.policy_error->text()});
  }
  for (const Decision& decision : tick.decisions) {
    const auto found = places_.find(decision.domain);
    const std::string name =
        found == places_.end() ? std::string() : record_.domains[found->second].name;
    if (!decision.holds())
      add_event({at, RunEvent::Kind::move, name, move_with_reason(decision, tick.limits.units)});
    if (!decision.rules.empty()) {
      add_event({at, RunEvent::Kind::limited, name, rules_text(decision)});
    }
  }
}

void Recorder::add_event(RunEvent event) {
  if (record_.events.size() < bounds_.events) {
    record_.events.push_back(std::move(event));
  } else {
    ++record_.events_left_out;
  }
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
  return std::move(record_);
}

}  // namespace memcoord::workbench
