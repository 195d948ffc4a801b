#include "engine/hypervisor/simulated/simulated_host.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace memcoord::simulated {
namespace {

double kib(MemorySize size) {
  return static_cast<double>(size.kib());
}

MemorySize size(double kib) {
  return kib <= 0 ? MemorySize() : MemorySize::from_kib(static_cast<std::uint64_t>(kib));
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// A UUID made from a domain's place, the same in every run.
Uuid uuid_of(std::size_t place) {
  return {0x73696d756c617465U, 0x8000000000000000U + place + 1};
}

std::shared_ptr<const DomainIdentity> identity_of(const ScenarioDomain& domain, std::size_t place) {
  return std::make_shared<const DomainIdentity>(
      DomainIdentity{uuid_of(place), domain.name, domain.settings, {}});
}

}  // namespace

SimulatedHost::SimulatedHost(Scenario scenario, MemorySize host_floor)
    : scenario_(std::make_unique<const Scenario>(std::move(scenario))), host_floor_(host_floor) {
  domains_.resize(scenario_->domains.size());
  for (std::size_t i = 0; i < domains_.size(); ++i) {
    domains_[i].plan = &scenario_->domains[i];
    domains_[i].identity = identity_of(scenario_->domains[i], i);
  }
  // By name, so that every look at them is in order.
  std::stable_sort(domains_.begin(), domains_.end(), [](const auto& a, const auto& b) {
    return a.identity->name < b.identity->name;
  });
  for (SimulatedDomain& domain : domains_) start_or_stop(domain, Duration());
}

void SimulatedHost::advance_to(Duration now, WallTime wall_time) {
  while (now_ < now) {
    const Duration until = std::min(now, now_ + scenario_->model.largest_step);
    const auto behind = std::chrono::duration_cast<std::chrono::milliseconds>(now - until);
    step(until, wall_time - behind);
  }
}

void SimulatedHost::step(Duration until, WallTime wall_time) {
  const double passed = seconds(until - now_);
  used_by_domains_ = 0;
  for (SimulatedDomain& domain : domains_) {
    start_or_stop(domain, until);
    if (!domain.active) continue;
    step_domain(domain, until, wall_time);
    used_by_domains_ += kib(rss(domain));
  }
  account_for_host(passed);
  now_ = until;
}

void SimulatedHost::start_or_stop(SimulatedDomain& domain, Duration until) {
  const bool due =
      until >= domain.plan->start && (!domain.plan->stop || until < *domain.plan->stop);
  if (due == domain.active) return;
  domain.active = due;
  if (!due) return;
  domain.guest.actual = domain.guest.target = kib(domain.plan->initial);
  domain.next_report = until;
  domain.report = {};
  if (until > Duration()) domain.started = until;
}

void SimulatedHost::step_domain(SimulatedDomain& domain, Duration until, WallTime wall_time) {
  const ScenarioDomain& plan = *domain.plan;
  // Where memory is moving, time is cut finer, so that a balloon's way is seen.
  constexpr Duration kFine = std::chrono::milliseconds(100);
  Duration now = now_;
  while (now < until) {
    const bool moving = domain.guest.actual != domain.guest.target;
    const Duration next = moving ? std::min(until, now + kFine) : until;
    const Forces forces{plan.demand.at(next, domain.demand_cursor),
                        plan.cache.at(next, domain.cache_cursor), kib(plan.swap), plan.driver,
                        has_fault(domain, Fault::Kind::paused)};
    const double before = domain.guest.actual;
    advance(domain.guest, forces, scenario_->model, seconds(next - now));
    now = next;
    if (moving && domain.guest.actual == before && now < until) {
      // A balloon that cannot move does not make the clock slow.
      advance(domain.guest, forces, scenario_->model, seconds(until - now));
      now = until;
    }
  }
  if (until >= domain.next_report) {
    const bool reports = plan.driver && plan.period > Duration() &&
                         !has_fault(domain, Fault::Kind::silent) &&
                         !has_fault(domain, Fault::Kind::paused);
    if (reports) report(domain, wall_time);
    const Duration period = std::max<Duration>(plan.period, std::chrono::milliseconds(100));
    domain.next_report += period * ((until - domain.next_report) / period + 1);
  }
}

void SimulatedHost::report(SimulatedDomain& domain, WallTime wall_time) const {
  const Model& model = scenario_->model;
  const Guest& guest = domain.guest;
  GuestStatistics& report = domain.report;
  report.available = size(guest.total(model));
  report.unused = size(guest.unused(model));
  report.usable = size(guest.usable(model));
  report.disk_caches = size(guest.cache);
  report.swap_in = size(guest.swap_in);
  report.swap_out = size(guest.swap_out);
  report.major_faults = static_cast<std::uint64_t>(guest.major_faults);
  report.minor_faults = static_cast<std::uint64_t>(guest.minor_faults);
  report.last_update = wall_time;
}

bool SimulatedHost::has_fault(const SimulatedDomain& domain, Fault::Kind kind) const {
  return std::any_of(domain.plan->faults.begin(), domain.plan->faults.end(),
                     [&](const Fault& fault) {
                       return fault.kind == kind && now_ >= fault.from && now_ < fault.until;
                     });
}

MemorySize SimulatedHost::rss(const SimulatedDomain& domain) const {
  return size(domain.guest.touched) + scenario_->model.process_overhead;
}

void SimulatedHost::account_for_host(double passed) {
  const double left = kib(scenario_->host_total) - kib(scenario_->host_base) - used_by_domains_;
  score_.seconds += passed;
  if (left < kib(host_floor_)) score_.breach_seconds += passed;
  const bool over = left + kib(scenario_->host_swap) < 0;
  if (over && !over_limit_) ++score_.oom_kills;
  over_limit_ = over;
}

Domain SimulatedHost::look_at(const SimulatedDomain& domain) const {
  Domain out;
  out.identity = domain.identity;
  out.actual = size(domain.guest.actual);
  out.maximum = domain.plan->maximum;
  out.guest = domain.report;
  out.guest.period = domain.plan->period;
  out.rss = rss(domain);
  if (has_fault(domain, Fault::Kind::paused)) out.state = DomainState::paused;
  if (has_fault(domain, Fault::Kind::hung)) {
    out.state = DomainState::hung;
    out.guest = {};
    out.rss.reset();
  }
  if (domain.started) out.started_at = MonotonicTime(*domain.started);
  return out;
}

Snapshot SimulatedHost::look(MonotonicTime taken_at, WallTime wall_time) const {
  Snapshot snapshot;
  snapshot.taken_at = taken_at;
  snapshot.wall_time = wall_time;
  snapshot.domains.reserve(domains_.size());
  MemorySize used = scenario_->host_base;
  for (const SimulatedDomain& domain : domains_) {
    if (!domain.active) continue;
    snapshot.domains.push_back(look_at(domain));
    used += rss(domain);
  }
  Host& host = snapshot.host;
  host.total = scenario_->host_total;
  host.available = host.total - used;
  host.cached = std::min(scenario_->host_cached, *host.available);
  host.free = *host.available - host.cached;
  host.swap_free = scenario_->host_swap;
  return snapshot;
}

Outcome SimulatedHost::set_target(const Move& move) {
  Outcome outcome{move.domain, move.from, move.to, Outcome::Kind::applied, std::nullopt};
  const auto found = std::find_if(domains_.begin(), domains_.end(), [&](const auto& domain) {
    return domain.active && domain.identity->uuid == move.domain;
  });
  if (found == domains_.end()) {
    outcome.kind = Outcome::Kind::vanished;
  } else if (has_fault(*found, Fault::Kind::hung)) {
    outcome.kind = Outcome::Kind::skipped;
  } else if (move.to > found->plan->maximum) {
    outcome.kind = Outcome::Kind::failed;
    outcome.error = Error{ErrorCode::invalid_input,
                          found->identity->name,
                          "the target passes the domain's maximum",
                          {},
                          {}};
  } else {
    found->guest.target = kib(move.to);
  }
  return outcome;
}

}  // namespace memcoord::simulated
