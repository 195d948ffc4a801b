#include "engine/workbench/host_recorder.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/observers/amounts.h"
#include "engine/observers/memory_use.h"
#include "engine/observers/shortage.h"

namespace memcoord::workbench {
namespace {

using observers::Event;
using observers::TickTimeline;

constexpr std::size_t kLeastMoments = 200;
/// Gaps that are drawn, the longest ones. All are events.
constexpr std::size_t kMaxGaps = 2'000;

/// One tick of a domain. `before` is the domain one tick earlier.
DomainMoment moment_of_tick(const Domain& domain, const Domain& before, const Limits& limits) {
  DomainMoment moment;
  moment.active = true;
  moment.actual = domain.actual;
  moment.stalled = observers::is_short(domain, &before, limits);
  const auto use = observers::use_of(domain);
  moment.silent = !use;
  if (!use) return moment;
  moment.need = use->used;
  moment.unused = *domain.guest.unused;
  moment.usable = domain.guest.usable.value_or(moment.unused);
  return moment;
}

/// Makes one of those adjacent items whose slots became equal.
template <class Item, class Merge>
std::vector<Item> joined(const std::vector<Item>& items, const std::vector<std::int64_t>& slots,
                         Merge merge) {
  std::vector<Item> out;
  out.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0 && slots[i] == slots[i - 1]) {
      out.back() = merge(out.back(), items[i]);
    } else {
      out.push_back(items[i]);
    }
  }
  return out;
}

}  // namespace

void HostRecorder::take(const Tick& tick) {
  const TickTimeline::Step step = timeline_.next(tick);
  if (!tick.restoring) take_time(tick, step);
  std::vector<Event> events = events_of(tick, step);
  if (!tick.restoring && !tick.sample_error) {
    open_interval(step.at);
    take_host(tick, step.passed);
    for (const Domain& domain : tick.snapshot.domains) take_domain(domain, tick);
    take_rules(tick);
  }
  // Last: a kill marks the tick's own interval.
  for (Event& event : events) {
    if (!event.domain.empty() && !picks_(event.domain)) continue;
    // On the charts' axis, which the wall clock may have left.
    event.time = timeline_.wall_time_at(step.at);
    add_event(std::move(event));
  }
}

void HostRecorder::take_time(const Tick& tick, const TickTimeline::Step& step) {
  ++sums_.ticks;
  if (sums_.ticks == 1 || tick.number == 1) ++sums_.runs;
  if (tick.sample_error) ++sums_.failed_samples;
  if (tick.policy_error) ++sums_.policy_errors;
  sums_.recorded += step.passed;
  sums_.dry_run = tick.dry_run;
  record_.policy = tick.policy;
  record_.limits = tick.limits;
  record_.duration = step.at;
  if (!step.gap) return;
  gaps_.push_back({step.at - step.gap_lasted, step.at});
  if (gaps_.size() <= kMaxGaps) return;
  gaps_.erase(std::min_element(gaps_.begin(), gaps_.end(), [](const Gap& a, const Gap& b) {
    return a.to - a.from < b.to - b.from;
  }));
}

std::vector<Event> HostRecorder::events_of(const Tick& tick, const TickTimeline::Step& step) {
  std::vector<Event> events = finder_.events_of(tick);
  const auto note = [&](const std::string& text) {
    events.insert(events.begin(), {tick.snapshot.wall_time, Event::Kind::note, "", text});
  };
  if (step.gap) note("nothing was recorded for " + observers::duration_text(step.gap_lasted));
  if (step.went_back.count() > 0) {
    note("the host's clock went back by " + observers::duration_text(step.went_back) +
         "; from here on, times are those of the clock before");
  }
  stories_.take(tick, events, step.passed);
  return events;
}

void HostRecorder::add_event(Event event) {
  const bool kill = observers::group_of(event.kind) == observers::EventGroup::killed;
  const auto named = by_name_.find(event.domain);
  if (kill && named != by_name_.end()) {
    if (DomainMoment* moment = moment_of(named->second)) moment->oom = true;
  }
  events_.add(std::move(event));
}

void HostRecorder::open_interval(Duration at) {
  const std::int64_t slot = at / width_;
  if (!slots_.empty() && slots_.back() >= slot) return;
  const std::size_t most =
      std::max(kLeastMoments, bounds_.values / std::max<std::size_t>(1, record_.domains.size()));
  if (slots_.size() >= most) {
    double_width();
    return open_interval(at);
  }
  slots_.push_back(slot);
  record_.host.push_back({.active = false});
}

void HostRecorder::take_host(const Tick& tick, Duration passed) {
  const Host& host = tick.snapshot.host;
  record_.host_total = host.total;
  HostMoment moment;
  moment.free = host_headroom(host, tick.limits.headroom);
  if (moment.free < tick.limits.host_floor) sums_.under_floor += passed;
  for (const Domain& domain : tick.snapshot.domains) {
    moment.granted += domain.actual;
    if (const auto use = observers::use_of(domain)) moment.need += use->used;
  }
  record_.host.back() = merged(record_.host.back(), moment);
}

/// The domain's moment in the newest interval, or null if it has no curves.
DomainMoment* HostRecorder::moment_of(const Uuid& domain) {
  const auto found = past_.find(domain);
  if (found == past_.end() || slots_.empty()) return nullptr;
  auto& moments = record_.domains[found->second.place].moments;
  moments.resize(slots_.size());
  return &moments.back();
}

void HostRecorder::take_domain(const Domain& domain, const Tick& tick) {
  const auto known = past_.find(domain.uuid());
  if (known == past_.end()) {
    if (!picks_(domain.name()) || record_.domains.size() >= bounds_.domains) return;
    past_[domain.uuid()] = {record_.domains.size(), domain.id, {}};
    record_.domains.emplace_back();
  }
  Past& past = past_[domain.uuid()];
  DomainRecord& record = record_.domains[past.place];
  if (record.name != domain.name()) {
    record.name = domain.name();
    by_name_[record.name] = domain.uuid();
  }
  record.maximum = std::max(record.maximum, domain.maximum);
  Domain before;
  before.id = past.id;
  before.guest.swap_in = past.swap_in;
  DomainMoment& moment = *moment_of(domain.uuid());
  moment = merged(moment, moment_of_tick(domain, before, tick.limits));
  past.id = domain.id;
  past.swap_in = domain.guest.swap_in;
}

void HostRecorder::take_rules(const Tick& tick) {
  for (const Decision& decision : tick.decisions) {
    DomainMoment* moment = moment_of(decision.domain);
    for (const RuleHit& hit : decision.rules) {
      const auto rule = static_cast<std::size_t>(hit.rule);
      ++record_.rule_limits.at(rule);
      if (moment != nullptr) moment->rules |= std::uint32_t{1} << rule;
    }
  }
}

void HostRecorder::double_width() {
  width_ *= 2;
  for (std::int64_t& slot : slots_) slot /= 2;
  const auto merge = [](const auto& a, const auto& b) { return merged(a, b); };
  record_.host = joined(record_.host, slots_, merge);
  for (DomainRecord& domain : record_.domains) {
    domain.moments.resize(slots_.size());
    domain.moments = joined(domain.moments, slots_, merge);
  }
  slots_ = joined(slots_, slots_, [](std::int64_t a, std::int64_t) { return a; });
}

/// Sets the times of the intervals, and adds one for each gap that is as wide as an interval.
void HostRecorder::place_gaps(RunRecord& record) const {
  std::vector<HostMoment> host;
  std::vector<std::vector<DomainMoment>> domains(record.domains.size());
  auto gap = gaps_.begin();
  const auto add = [&](Duration end, std::size_t from) {
    record.times.push_back(end);
    const bool recorded = from < slots_.size();
    host.push_back(recorded ? record.host[from] : HostMoment{.active = false});
    for (std::size_t i = 0; i < domains.size(); ++i) {
      domains[i].push_back(recorded ? record.domains[i].moments[from] : DomainMoment());
    }
  };
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Duration begin = slots_[i] * width_;
    while (gap != gaps_.end() && gap->to < begin) ++gap;
    const bool after_gap = gap != gaps_.end() && gap->to < begin + width_;
    if (after_gap && !record.times.empty() && record.times.back() < begin)
      add(begin, slots_.size());
    add(begin + width_, i);
  }
  record.host = std::move(host);
  for (std::size_t i = 0; i < domains.size(); ++i) {
    record.domains[i].moments = std::move(domains[i]);
  }
}

void HostRecorder::add_stories(RunRecord& record) {
  std::vector<std::optional<std::size_t>> places(record.domains.size());
  for (const auto& [uuid, past] : past_) places[past.place] = stories_.place_of(uuid);
  std::vector<observers::DomainStory> stories = stories_.finish();
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!places[i]) continue;
    DomainRecord& domain = record.domains[i];
    domain.story = std::move(stories[*places[i]]);
    domain.stalled = domain.story.short_share();
    domain.oom_kills = static_cast<int>(domain.story.kills);
  }
}

RunRecord HostRecorder::finish() {
  for (DomainRecord& domain : record_.domains) domain.moments.resize(slots_.size());
  place_gaps(record_);
  add_stories(record_);
  observers::EventSelection::Result events = events_.finish();
  record_.events = std::move(events.events);
  record_.events_left_out = events.left_out;
  record_.start = timeline_.start();
  record_.interval = width_;
  if (!record_.times.empty()) record_.times.back() = std::max(record_.duration, Duration(1));
  record_.recorded = sums_;
  return std::move(record_);
}

}  // namespace memcoord::workbench
